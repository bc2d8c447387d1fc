import type { Value } from "../../engine/graph/graph.js";
import {
  add,
  argMax,
  atanh,
  cast,
  clip,
  concat,
  div,
  equal,
  exp,
  log,
  logSoftmax,
  min,
  mul,
  neg,
  not,
  or,
  reduceMax,
  reduceSum,
  relu,
  sigmoid,
  softmax,
  sqrt,
  squeeze,
  stopGradient,
  sub,
  unsqueeze,
  where,
  withGradient,
} from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { Alignment, PixelFunction, PixelOptions } from "./task.js";

// What classification and segmentation share: logits over K classes on axis 1, whole-number labels.

/** float32 1 where the label counts, per pixel. */
export function counted(labels: Value, { ignore, valid }: PixelOptions): Value {
  const { graph } = labels;
  let ignored: Value | undefined;
  for (const label of ignore) {
    const hit = equal(labels, graph.constant(tensor(labels.type, [], [label])));
    ignored = ignored ? or(ignored, hit) : hit;
  }
  const kept = ignored ? cast(not(ignored), "float32") : undefined;
  if (kept && valid) return mul(kept, valid);
  return kept ?? valid ?? cast(equal(labels, labels), "float32");
}

/** bool [B, K, ...]: true on the channel that the label names; all false where the label names none (ignored pixels). */
export function oneHot(labels: Value, classes: number): Value {
  const rank = labels.shape.length;
  const index = labels.graph.constant(
    tensor(
      labels.type,
      [1, classes, ...new Array(rank - 1).fill(1)],
      Array.from({ length: classes }, (_, k) => k),
    ),
  );
  return equal(unsqueeze(labels, [1]), index);
}

/** The logit (or anything else on axis 1) of the labeled class, per pixel. */
export function pick(values: Value, labels: Value): Value {
  return reduceSum(where(oneHot(labels, values.shape[1]!), values, 0), [1], "drop");
}

/**
 * -log softmax(z)_y, computed as log(1 + Σ_{j≠y} e^{z_j - z_y}) with the largest exponent r = max_j (z_j - z_y) taken out, so that small losses
 * and their gradients keep their digits: -log p near p = 1 would lose them in float32, and Auto-PGD compares such losses.
 */
export const crossEntropy: PixelFunction = (z, y, options) => {
  const named = oneHot(y, z.shape[1]!);
  const d = sub(z, reduceSum(where(named, z, 0), [1], "keep"));
  // An ignored label names no channel, d is z itself then, and the loss is masked below: any finite value will do.
  const r = stopGradient(relu(reduceMax(d, [1], "keep")));
  const others = reduceSum(where(named, 0, exp(sub(d, r))), [1], "drop");
  const lead = squeeze(r, [1]);
  const small = add(sub(exp(neg(lead)), 1), others);
  return mul(add(lead, log1p(small)), counted(y, options));
};

/**
 * log(1 + x) = 2 artanh(x / (2 + x)) for x from 0 on, exact for small x; its gradient is that of the plain form. (The clip changes nothing: it
 * says that 1 + x is far from 0, from which rewrites see that the gradient is finite.)
 */
const log1p = (x: Value): Value => withGradient(mul(atanh(div(x, add(x, 2))), 2), log(clip(add(x, 1), 0.5)));

/** KL(softmax(from) ‖ softmax(z)) = Σ p (log p - log q) over the classes, per pixel. */
export const classDivergence = (z: Value, from: Value): Value =>
  reduceSum(mul(softmax(from, 1), sub(logSoftmax(from, 1), logSoftmax(z, 1))), [1], "drop");

/** One value of a logit, given the largest logit of its pixel. */
type Activation = (logit: Value, largest: Value) => Value;

/** cos(p, onehot(y)) = p_y / ‖p‖ and 1 - cos = Σ_{j≠y} p_j² / (‖p‖ (‖p‖ + p_y)) for an activation p of the logits, up to a common factor. */
function labelAlignment(activation: Activation): Alignment {
  const parts = (z: Value, y: Value) => {
    const named = oneHot(y, z.shape[1]!);
    const largest = stopGradient(reduceMax(z, [1], "keep"));
    const p = activation(z, largest);
    // An ignored label names no channel: without the clip its p_y might be infinite, and infinite times 0 is not a number.
    const logit = min(reduceSum(where(named, z, 0), [1], "keep"), largest);
    return { named, hit: squeeze(activation(logit, largest), [1]), squares: mul(p, p) };
  };
  const length = (squares: Value) => clip(sqrt(reduceSum(squares, [1], "drop")), 1e-8);
  return {
    cosine: (z, y, options) => {
      const { hit, squares } = parts(z, y);
      return mul(div(hit, length(squares)), counted(y, options));
    },
    complement: (z, y, options) => {
      const { named, hit, squares } = parts(z, y);
      const norm = length(squares);
      const rest = reduceSum(where(named, 0, squares), [1], "drop");
      return mul(div(rest, mul(norm, add(norm, hit))), counted(y, options));
    },
  };
}

/**
 * cos(softmax(z), onehot(y)), as published. The softmax's denominator cancels; ONNX Runtime's Softmax over the channels transposes there and
 * back (24 of the 570 ms of DeepLabV3's CosPGD step at 2x256x256).
 */
export const softmaxAlignment = labelAlignment((logit, largest) => exp(sub(logit, largest)));

/** The same with a sigmoid per channel in place of the softmax, as other code bases compute CosPGD (Croce et al. 2023's comparison). */
export const sigmoidAlignment = labelAlignment((logit) => sigmoid(logit));

/** z_y - max_{j≠y} z_j: the label's lead, negative where another class is ahead. */
export const margin: PixelFunction = (z, y, options) =>
  mul(sub(pick(z, y), reduceMax(where(oneHot(y, z.shape[1]!), -1e30, z), [1], "drop")), counted(y, options));

/** [argmax z = y] */
export const correctClass: PixelFunction = (z, y, options) =>
  mul(cast(equal(cast(argMax(z, 1, "drop"), y.type), y), "float32"), counted(y, options));

/** Two-class logits [B, 2, ...] for one-channel logits z [B, 1, ...]: softmax(-z/2, z/2) = (1 - sigmoid z, sigmoid z). */
export function twoClassLogits(z: Value): Value {
  return concat([mul(z, -0.5), mul(z, 0.5)], 1);
}
