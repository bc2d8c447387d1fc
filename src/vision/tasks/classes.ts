import type { Value } from "../../engine/graph/graph.js";
import {
  argMax,
  cast,
  clip,
  concat,
  div,
  equal,
  logSoftmax,
  mul,
  not,
  or,
  reduceSum,
  sigmoid,
  softmax,
  sqrt,
  unsqueeze,
  where,
} from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { PixelFunction, PixelOptions } from "./task.js";

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

/** The logit (or anything else on axis 1) of the labelled class, per pixel. */
export function pick(values: Value, labels: Value): Value {
  return reduceSum(where(oneHot(labels, values.shape[1]!), values, 0), [1], "drop");
}

/** -log softmax(z)_y */
export const crossEntropy: PixelFunction = (z, y, options) => mul(mul(pick(logSoftmax(z, 1), y), -1), counted(y, options));

/** cos(softmax(z), onehot(y)) = p_y / ‖p‖, as published. */
export const softmaxAlignment: PixelFunction = (z, y, options) => cosineWithLabel(softmax(z, 1), y, options);

/** The same with a sigmoid per channel in place of the softmax, as other code bases compute CosPGD (Croce et al. 2023's comparison). */
export const sigmoidAlignment: PixelFunction = (z, y, options) => cosineWithLabel(sigmoid(z), y, options);

function cosineWithLabel(p: Value, labels: Value, options: PixelOptions): Value {
  const norm = sqrt(reduceSum(mul(p, p), [1], "drop"));
  return mul(div(pick(p, labels), clip(norm, 1e-8)), counted(labels, options));
}

/** [argmax z = y] */
export const correctClass: PixelFunction = (z, y, options) =>
  mul(cast(equal(cast(argMax(z, 1, "drop"), y.type), y), "float32"), counted(y, options));

/** Two-class logits [B, 2, ...] for one-channel logits z [B, 1, ...]: softmax(-z/2, z/2) = (1 - sigmoid z, sigmoid z). */
export function twoClassLogits(z: Value): Value {
  return concat([mul(z, -0.5), mul(z, 0.5)], 1);
}
