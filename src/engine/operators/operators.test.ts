import { describe, expect, it } from "vitest";
import { checkDirectional, type OperatorCase } from "../testing/operator-case.js";
import { checkedLevels } from "../testing/run-model.js";
import { allCases } from "./cases.js";

describe.each(checkedLevels)("gradients against finite differences, optimisation %s", (level) => {
  it.each(allCases.map((test) => [test.name, test] as const))("%s", async (_, test: OperatorCase) => {
    const { finiteDifference, gradient, scale } = await checkDirectional(test, level);
    expect(Number.isFinite(gradient)).toBe(true);
    expect(Math.abs(finiteDifference - gradient)).toBeLessThanOrEqual((test.tolerance ?? 1e-2) * scale + 1e-4);
  });
});
