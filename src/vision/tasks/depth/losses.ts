import type { Value } from "../../../engine/graph/graph.js";
import { abs, add, cast, clip, div, less, log, mul, reciprocal, reduceSum, sqrt, sub } from "../../../engine/operators/index.js";
import { masked } from "../regression.js";
import type { Alignment, PixelFunction, PixelOptions } from "../task.js";

// Predictions and targets are depths [B, 1, H, W] in meters.

/** Nearer than this nothing is told apart: predictions are raised to it before a logarithm or a quotient, as the usual evaluations do. */
export const leastDepth = 1e-3;

const logDepth = (depth: Value): Value => log(clip(depth, leastDepth));

/** Mean over the pixels of each image that count, [B, 1, 1]. */
function meanOf(perPixel: Value, { valid }: PixelOptions): Value {
  const sum = reduceSum(masked(perPixel, { valid } as PixelOptions), [1, 2], "keep");
  const [, height, width] = perPixel.shape as [number, number, number];
  return div(sum, valid ? clip(reduceSum(valid, [1, 2], "keep"), 1) : height * width);
}

/** [B, 1, H, W] as [B, H, W]. */
const plane = (map: Value): Value => reduceSum(map, [1], "drop");

/**
 * The scale- and shift-invariant loss of MiDaS (Ranftl et al. 2020, eq. 1 to 4, ρ(x) = x²), on inverse depth d = 1 / depth as there:
 * (s d_i + t - d*_i)² / 2, where s and t are the image's own least-squares fit of d to the truth d* over the pixels that count,
 * s = cov(d, d*) / var(d), t = mean(d*) - s mean(d). What a relative-depth model does not know is not held against it.
 */
export const scaleAndShiftInvariant: PixelFunction = (p, y, options) => {
  const inverse = (depth: Value) => plane(reciprocal(clip(depth, leastDepth)));
  const [d, truth] = [inverse(p), inverse(y)];
  const [own, wanted] = [sub(d, meanOf(d, options)), sub(truth, meanOf(truth, options))];
  const scale = div(meanOf(mul(own, wanted), options), clip(meanOf(mul(own, own), options), 1e-12));
  const residual = sub(mul(own, scale), wanted);
  return masked(mul(mul(residual, residual), 0.5), options);
};

/**
 * The scale-invariant error in logarithms (Eigen et al. 2014, eq. 4), d_i = ln p_i - ln y_i: its mean over an image's n pixels is
 * 1/n Σ d_i² - λ/n² (Σ d_i)², written per pixel as d_i (d_i - λ mean(d)). λ = ½ as in the paper's training: half of a common factor is forgiven.
 */
export const scaleInvariantLog: PixelFunction = (p, y, options) => {
  const d = plane(sub(logDepth(p), logDepth(y)));
  return masked(mul(d, sub(d, mul(meanOf(d, options), 0.5))), options);
};

/** |ln p - ln y| in units of the scale: how many times the allowed factor the prediction is off. */
function logError(p: Value, y: Value, { scale }: PixelOptions): Value {
  return div(abs(plane(sub(logDepth(p), logDepth(y)))), scale);
}

/** 1.0 where prediction and truth are within a factor of e^scale; by default 1.25, where the field's δ₁ counts a pixel as right. */
export const withinFactor: PixelFunction = (p, y, options) => masked(cast(less(logError(p, y, options), 1), "float32"), options);

/**
 * The residual alignment of `regression.ts` on the logarithms of depths: 1 / sqrt(1 + e²), e = |ln p - ln y| / scale. An error of a tenth of the
 * distance weighs alike near and far.
 */
export const logResidualAlignment: Alignment = {
  cosine: (p, y, options) => {
    const e = logError(p, y, options);
    return masked(reciprocal(sqrt(add(mul(e, e), 1))), options);
  },
  complement: (p, y, options) => {
    const e = logError(p, y, options);
    const n = sqrt(add(mul(e, e), 1));
    return masked(div(mul(e, e), mul(n, add(n, 1))), options);
  },
};
