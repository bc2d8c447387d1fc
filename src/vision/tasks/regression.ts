import type { Value } from "../../engine/graph/graph.js";
import {
  abs,
  add,
  cast,
  clip,
  div,
  expand,
  less,
  mul,
  reciprocal,
  reduceSum,
  softmax,
  sqrt,
  sub,
} from "../../engine/operators/index.js";
import type { PixelFunction, PixelOptions } from "./task.js";

// What flow, disparity and restoration share: continuous predictions [B, C, H, W] with a target of the same shape.

/** Multiplies per-pixel values by the validity mask, where there is one. */
export const masked = (perPixel: Value, { valid }: PixelOptions): Value => (valid ? mul(perPixel, valid) : perPixel);

/** ‖prediction - target‖₂ over the channels. Its gradient at exact agreement is 0, as PyTorch's norm has it. */
export const endPointError: PixelFunction = (p, y, options) => {
  const d = sub(p, y);
  return masked(sqrt(clip(reduceSum(mul(d, d), [1], "drop"), 1e-24)), options);
};

/** Mean over the channels of |prediction - target|. */
export const l1: PixelFunction = (p, y, options) => masked(div(reduceSum(abs(sub(p, y)), [1], "drop"), p.shape[1]!), options);

/** Mean over the channels of (prediction - target)². */
export const l2: PixelFunction = (p, y, options) => {
  const d = sub(p, y);
  return masked(div(reduceSum(mul(d, d), [1], "drop"), p.shape[1]!), options);
};

/**
 * cos(softmax(prediction), softmax(target)) over the channels, as published for continuous targets (Agnihotri et al. 2024, eq. 6). With one
 * channel it is 1 everywhere: CosPGD is then PGD.
 */
export const softmaxAlignment: PixelFunction = (p, y, options) => masked(cosine(softmax(p, 1), softmax(y, 1), 1), options);

/**
 * The published stereo code's variant for one channel: softmax down each image column, cosine per column, the same weight for all pixels of
 * a column. Kept for comparison; it has no per-pixel meaning.
 */
export const columnAlignment: PixelFunction = (p, y, options) => {
  const along = cosine(softmax(p, 2), softmax(y, 2), 2, "keep");
  const perColumn = div(reduceSum(along, [1], "drop"), p.shape[1]!);
  return masked(expand(perColumn, [p.shape[0]!, p.shape[2]!, p.shape[3]!]), options);
};

/**
 * cos of the angle whose tangent is the error over `scale`: 1 / sqrt(1 + (‖p - y‖ / scale)²). Our alternative for predictions without a
 * class axis: 1 at agreement, cos 45° at an error of `scale`, falling to 0 as the pixel goes wrong, so that effort moves to pixels that are
 * still right. It is the cosine between (residual / scale, 1) and (0, 1).
 */
export const residualAlignment: PixelFunction = (p, y, options) => {
  const d = div(sub(p, y), options.scale);
  return masked(reciprocal(sqrt(add(reduceSum(mul(d, d), [1], "drop"), 1))), options);
};

/** 1.0 where prediction and target are within `scale` of each other. */
export const withinScale: PixelFunction = (p, y, options) =>
  masked(cast(less(endPointError(p, y, { ...options, valid: undefined }), options.scale), "float32"), options);

function cosine(a: Value, b: Value, axis: number, reduced: "keep" | "drop" = "drop"): Value {
  const dot = reduceSum(mul(a, b), [axis], reduced);
  const squares = mul(reduceSum(mul(a, a), [axis], reduced), reduceSum(mul(b, b), [axis], reduced));
  return div(dot, sqrt(clip(squares, 1e-16)));
}
