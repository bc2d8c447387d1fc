import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { attacksPage, withTables } from "../tools/attacks-table.js";

it("docs/attacks.md is current; run `npx tsx tools/attacks-table.ts` after a change of attacks or their parameters", async () => {
  const page = readFileSync(attacksPage, "utf8");
  expect(await withTables(page)).toBe(page);
});
