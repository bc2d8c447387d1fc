import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { operatorForms } from "../src/engine/operators/forms/index.js";
import * as operators from "../src/engine/operators/index.js";
import onnx from "../src/engine/operators/onnx-operators.json" with { type: "json" };
import { operatorsWithoutDefinition } from "../src/engine/operators/without-definition.js";
import { operatorsTable, tablePath } from "../tools/operators-table.js";

it("docs/operators.md is current; run `npx tsx tools/operators-table.ts` after a change of operators or cases", () => {
  expect(readFileSync(tablePath, "utf8")).toBe(operatorsTable());
});

it("every function that adds an operator has its signature there, with the types that it names", () => {
  const page = readFileSync(tablePath, "utf8");
  const signatures = [...page.matchAll(/^(\w+)\(.*\): (.+)$/gm)];
  const listed = new Set(signatures.map(([, name]) => name));
  // What is no operator: how one is added by its name, and marks for the gradient.
  const others = ["emit", "emitAll", "scalar", "stopGradient", "withGradient", "findOperator"];
  const functions = Object.entries(operators).flatMap(([name, value]) =>
    typeof value === "function" && /^[a-z]/.test(name) && !others.includes(name) ? [name] : [],
  );
  expect(functions.filter((name) => !listed.has(name))).toEqual([]);
  expect(functions.length).toBeGreaterThan(150);
  for (const [line] of signatures)
    for (const [type] of line.matchAll(/\b[A-Z]\w+(?:Options|Mode|Pad)\b/g))
      expect(page, line).toMatch(new RegExp(`(interface|type) ${type}\\b`));
  expect(page).not.toContain("undefined");
});

// The list is ONNX's own; tools/reference/onnx_operators.py writes it.
it("every operator of ONNX is in the table, is read as others, or is said to be without a definition", () => {
  const converted = new Set(operatorForms.map((form) => form.name));
  const known = (name: string) =>
    operators.findOperator(name) !== undefined || converted.has(name) || name in operatorsWithoutDefinition;
  expect(Object.keys(onnx.operators).filter((name) => !known(name))).toEqual([]);
  const mistaken = Object.keys(operatorsWithoutDefinition).filter(
    (name) => operators.findOperator(name) || !(name in onnx.operators),
  );
  expect(mistaken).toEqual([]);
});
