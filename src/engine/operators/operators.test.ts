import { describe, expect, it } from "vitest";
import type { Operator } from "../graph/operator.js";
import { checkDirectional, type OperatorCase } from "../testing/operator-case.js";
import { checkedLevels } from "../testing/run-model.js";
import { allCases } from "./cases.js";
import { operatorFamilies } from "./index.js";

describe.each(checkedLevels)("gradients against finite differences, optimisation %s", (level) => {
  it.each(allCases.map((test) => [test.name, test] as const))("%s", async (_, test: OperatorCase) => {
    const { finiteDifference, gradient, scale } = await checkDirectional(test, level);
    expect(Number.isFinite(gradient)).toBe(true);
    expect(Math.abs(finiteDifference - gradient)).toBeLessThanOrEqual((test.tolerance ?? 1e-2) * scale + 1e-4);
  });
});

it("every operator with a gradient rule has a case", () => {
  const tested = new Set(allCases.map((test) => test.operator));
  const differentiable = Object.values<Readonly<Record<string, Operator>>>(operatorFamilies)
    .flatMap((family) => Object.values(family))
    .filter((operator) => typeof operator.gradient === "function");
  expect(differentiable.map((operator) => operator.name).filter((name) => !tested.has(name))).toEqual([]);
});
