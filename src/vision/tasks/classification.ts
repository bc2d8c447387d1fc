import type { Value } from "../../engine/graph/graph.js";
import { add, argMax, clip, div, mul, neg, slice, squeeze, sub, topK, where } from "../../engine/operators/index.js";
import { correctClass, counted, crossEntropy, oneHot, pick, sigmoidAlignment, softmaxAlignment } from "./classes.js";
import type { PixelFunction, Task } from "./task.js";

/** The largest `count` logits, descending, as separate [B] values. */
function largest(z: Value, count: number): Value[] {
  const [values] = topK(z, count, 1);
  return Array.from({ length: count }, (_, i) => squeeze(slice(values!, [i], [i + 1], { axes: [1] }), [1]));
}

/** Difference of logits ratio (Croce & Hein 2020, eq. 6): -(z_y - max_{i≠y} z_i) / (z_π1 - z_π3). Positive where misclassified. Needs 3 classes. */
const dlr: PixelFunction = (z, y, options) => {
  const [first, , third] = largest(z, 3);
  const rival = largest(where(oneHot(y, z.shape[1]!), -1e30, z), 1)[0]!;
  const margin = sub(pick(z, y), rival);
  return mul(neg(div(margin, clip(sub(first!, third!), 1e-12))), counted(y, options));
};

/**
 * Targeted difference of logits ratio (Croce & Hein 2020, eq. 7): -(z_t - max_{i≠t} z_i) / (z_π1 - (z_π3 + z_π4) / 2) for the wanted class t. The
 * paper subtracts the true class's logit; a targeted attack here knows its target alone and subtracts the strongest rival, which is the true
 * class until the image is won. Needs 4 classes.
 */
const targetedDlr: PixelFunction = (z, t, options) => {
  const [first, , third, fourth] = largest(z, 4);
  const rival = largest(where(oneHot(t, z.shape[1]!), -1e30, z), 1)[0]!;
  const spread = sub(first!, mul(add(third!, fourth!), 0.5));
  return mul(neg(div(sub(pick(z, t), rival), clip(spread, 1e-12))), counted(t, options));
};

const atLeast = (leastClasses: number, loss: PixelFunction): PixelFunction => Object.assign(loss, { leastClasses });

export const classification: Task = {
  name: "classification",
  target: ({ shape }) => ({ type: "int64", shape: [shape[0]!] }),
  losses: { "cross-entropy": crossEntropy, dlr: atLeast(3, dlr), "targeted-dlr": atLeast(4, targetedDlr) },
  alignments: { softmax: softmaxAlignment, sigmoid: sigmoidAlignment },
  correct: correctClass,
  ignore: [],
  scale: 1,
  judgedBy: "correct",
  counted: (_, labels, options) => counted(labels, options),
  pixelUnits: [],
  valuesBetween: "do not exist",
  asTarget: (z) => argMax(z, 1, "drop"),
};
