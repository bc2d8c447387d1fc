import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { operatorForms } from "../src/engine/operators/forms/index.js";
import { findOperator } from "../src/engine/operators/index.js";
import onnx from "../src/engine/operators/onnx-operators.json" with { type: "json" };
import { operatorsWithoutDefinition } from "../src/engine/operators/without-definition.js";
import { operatorsTable, tablePath } from "../tools/operators-table.js";

it("docs/operators.md is current; run `npx tsx tools/operators-table.ts` after a change of operators or cases", () => {
  expect(readFileSync(tablePath, "utf8")).toBe(operatorsTable());
});

// The list is ONNX's own; tools/reference/onnx_operators.py writes it.
it("every operator of ONNX is in the table, is read as others, or is said to be without a definition", () => {
  const converted = new Set(operatorForms.map((form) => form.name));
  const known = (name: string) => findOperator(name) !== undefined || converted.has(name) || name in operatorsWithoutDefinition;
  expect(Object.keys(onnx.operators).filter((name) => !known(name))).toEqual([]);
  const mistaken = Object.keys(operatorsWithoutDefinition).filter((name) => findOperator(name) || !(name in onnx.operators));
  expect(mistaken).toEqual([]);
});
