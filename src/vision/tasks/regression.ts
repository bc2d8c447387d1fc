import type { Value } from "../../engine/graph/graph.js";
import {
  abs,
  add,
  cast,
  clip,
  div,
  exp,
  expand,
  less,
  mul,
  reciprocal,
  reduceMax,
  reduceSum,
  scalar,
  softmax,
  sqrt,
  stopGradient,
  sub,
} from "../../engine/operators/index.js";
import type { Alignment, PixelFunction, PixelOptions } from "./task.js";

// What flow, disparity and restoration share: continuous predictions [B, C, H, W] with a target of the same shape.

/** Multiplies per-pixel values by the validity mask, where there is one. */
export const masked = (perPixel: Value, { valid }: PixelOptions): Value => (valid ? mul(perPixel, valid) : perPixel);

/** 1.0 per pixel where the target is known. */
export const known: PixelFunction = (p, _, { valid }) =>
  valid ?? expand(scalar(p.graph, 1, p.type), [p.shape[0]!, ...p.shape.slice(2)]);

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

type Measure = (a: Value, b: Value, axis: number, reduced: "keep" | "drop") => Value;

function alignmentOf(perPixel: (p: Value, y: Value, measure: Measure) => Value): Alignment {
  return {
    cosine: (p, y, options) => masked(perPixel(p, y, cosine), options),
    complement: (p, y, options) => masked(perPixel(p, y, complement), options),
  };
}

const unit = (a: Value, axis: number): Value => div(a, sqrt(clip(reduceSum(mul(a, a), [axis], "keep"), 1e-16)));

const cosine: Measure = (a, b, axis, reduced) => reduceSum(mul(unit(a, axis), unit(b, axis)), [axis], reduced);

/** 1 - cos = ‖â - b̂‖² / 2 */
const complement: Measure = (a, b, axis, reduced) => {
  const d = sub(unit(a, axis), unit(b, axis));
  return mul(reduceSum(mul(d, d), [axis], reduced), 0.5);
};

/**
 * cos(softmax(prediction), softmax(target)) over the channels, as published for continuous targets (Agnihotri et al. 2024, eq. 6). With one
 * channel it is 1 everywhere: CosPGD is then PGD.
 */
export const softmaxAlignment: Alignment = {
  ...alignmentOf((p, y, measure) => measure(unscaledSoftmax(p), unscaledSoftmax(y), 1, "drop")),
  leastChannels: 2,
};

/** Softmax over the channels up to its denominator, which a cosine does not see and ONNX Runtime pays two transpositions for. */
const unscaledSoftmax = (a: Value): Value => exp(sub(a, stopGradient(reduceMax(a, [1], "keep"))));

/**
 * The published stereo code's variant for one channel: softmax down each image column, cosine per column, the same weight for all pixels of
 * a column. Kept for comparison; it has no per-pixel meaning.
 */
export const columnAlignment: Alignment = {
  ...alignmentOf((p, y, measure) => {
    const along = measure(softmax(p, 2), softmax(y, 2), 2, "keep");
    const perColumn = div(reduceSum(along, [1], "drop"), p.shape[1]!);
    return expand(perColumn, [p.shape[0]!, p.shape[2]!, p.shape[3]!]);
  }),
  sees: "whole prediction",
};

/**
 * cos of the angle whose tangent is the error over `scale`: 1 / sqrt(1 + (‖p - y‖ / scale)²). Our alternative for predictions without a
 * class axis: 1 at agreement, cos 45° at an error of `scale`, falling to 0 as the pixel goes wrong, so that effort moves to pixels that are
 * still right. It is the cosine between (residual / scale, 1) and (0, 1). With e = ‖p - y‖ / scale and n = sqrt(1 + e²), 1 - cos = e² / (n (1 + n)).
 */
export const residualAlignment: Alignment = {
  cosine: (p, y, options) => masked(reciprocal(sqrt(add(squaredError(p, y, options), 1))), options),
  complement: (p, y, options) => {
    const e2 = squaredError(p, y, options);
    const n = sqrt(add(e2, 1));
    return masked(div(e2, mul(n, add(n, 1))), options);
  },
};

function squaredError(p: Value, y: Value, { scale }: PixelOptions): Value {
  const d = div(sub(p, y), scale);
  return reduceSum(mul(d, d), [1], "drop");
}

/** 1.0 where prediction and target are within `scale` of each other. */
export const withinScale: PixelFunction = (p, y, options) =>
  masked(cast(less(endPointError(p, y, { ...options, valid: undefined }), options.scale), "float32"), options);
