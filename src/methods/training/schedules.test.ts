import { expect, it } from "vitest";
import { cosine, restarts, stepwise, warmup } from "./schedules.js";

// PyTorch 1.13: CosineAnnealingLR(optimizer with lr 1, T_max=10, eta_min=0.1), get_last_lr() before each step.
const annealed = [1, 0.977975432333, 0.914057647469, 0.814503363532, 0.689057647469, 0.55, 0.410942352531];

it("cosine is PyTorch's CosineAnnealingLR", () => {
  annealed.forEach((rate, step) => {
    expect(cosine(10, 0.1)(step)).toBeCloseTo(rate, 10);
  });
  expect(cosine(10, 0.1)(10)).toBeCloseTo(0.1, 12);
  expect(cosine(10, 0.1)(50)).toBeCloseTo(0.1, 12);
});

it("stepwise is PyTorch's MultiStepLR", () => {
  expect([0, 2, 3, 6, 7].map(stepwise([3, 7], 0.5))).toEqual([1, 1, 0.5, 0.5, 0.25]);
});

it("restarts begin each cycle at its height and end it at its floor", () => {
  // Restormer: 92k steps at the full rate's cosine down to 0.00003/0.0003, then 208k down to 0.000001/0.0003; shortened a thousandfold.
  const rate = restarts([
    { steps: 4, floor: 0.5 },
    { steps: 10, height: 2, floor: 0.2 },
  ]);
  expect([0, 2, 4, 9, 14, 99].map(rate).map((v) => Number(v.toFixed(6)))).toEqual([1, 0.75, 2, 1.1, 0.2, 0.2]);
});

it("warmup rises in equal steps", () => {
  expect([0, 1, 2, 3, 4].map(warmup(3, stepwise([4], 0.5)))).toEqual([0.25, 0.5, 0.75, 1, 0.5]);
});
