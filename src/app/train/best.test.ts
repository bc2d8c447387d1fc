import { expect, it } from "vitest";
import { bestSoFar, isExhausted } from "./best.js";

const records = [20, 22, 21, 22.05, undefined, 23].map((value, i) => ({
  index: 10 * (i + 1),
  sample: "",
  evaluation: value === undefined ? {} : { PSNR: value },
}));
const rule = { metric: "PSNR", better: "higher", patience: 3, improvement: 0.1 } as const;
const stands = (step: number, change = {}) => {
  const { best, waited } = bestSoFar(step, [{ index: 5, sample: "", loss: 1 }, ...records], { ...rule, ...change });
  return [best?.index, waited];
};

it("finds the best evaluation up to a step, and how long ago it was", () => {
  expect(stands(9)).toEqual([undefined, 0]);
  expect(stands(10)).toEqual([10, 0]);
  expect(stands(30)).toEqual([20, 1]);
  // 22.05 gains less than 0.1, and what is no number gains nothing.
  expect(stands(50)).toEqual([20, 3]);
  expect(stands(60)).toEqual([60, 0]);
  expect(stands(60, { better: "lower" })).toEqual([10, 5]);
  expect(stands(40, { improvement: 0 })).toEqual([40, 0]);
});

it("is exhausted when the patience is", () => {
  const at = (step: number, patience: number | undefined) => isExhausted(bestSoFar(step, records, rule), { ...rule, patience });
  expect([30, 40, 50].map((step) => at(step, 3))).toEqual([false, false, true]);
  expect(at(50, undefined)).toBe(false);
});
