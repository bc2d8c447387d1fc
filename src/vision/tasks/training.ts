import type { Value } from "../../engine/graph/graph.js";
import { add, clip, div, log, mul, reduceMean, reduceSum, sqrt, sub } from "../../engine/operators/index.js";
import { masked } from "./regression.js";
import type { PixelFunction, TrainedLoss } from "./task.js";

// What the tasks' losses for training share.

/**
 * Charbonnier loss, mean over the channels of √(d² + ε²), ε = 10⁻³ (Charbonnier et al. 1994; Lai et al. 2017, eq. 2): an L1 loss that is
 * smooth at 0.
 */
export const charbonnier: PixelFunction = (p, y, options) => {
  const d = sub(p, y);
  return masked(div(reduceSum(sqrt(add(mul(d, d), 1e-6)), [1], "drop"), p.shape[1]!), options);
};

/** Mean over the pixels that count, as PyTorch's losses with `ignore_index`; 0 where none does. */
const meanOfCounted = (perPixel: Value, counted: Value): Value => div(reduceSum(perPixel), clip(reduceSum(counted), 1));

/** A loss whose mean over the pixels that count is lowered. */
export const mean = (perPixel: PixelFunction): TrainedLoss => ({ perPixel, reduce: meanOfCounted });

/** -PSNR in dB of each image, averaged: 10 / ln 10 · mean_b ln(MSE_b + 10⁻⁸), the loss of NAFNet (Chen et al. 2022). */
export const negativePsnr = (squares: Value): Value => {
  const perImage = reduceMean(squares, [1, 2], "drop");
  return mul(reduceMean(log(add(perImage, 1e-8))), 10 / Math.LN10);
};
