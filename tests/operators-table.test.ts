import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { operatorsTable, tablePath } from "../tools/operators-table.js";

it("docs/operators.md is current; run `npx tsx tools/operators-table.ts` after a change of operators or cases", () => {
  expect(readFileSync(tablePath, "utf8")).toBe(operatorsTable());
});
