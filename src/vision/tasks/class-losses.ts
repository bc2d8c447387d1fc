import type { Value } from "../../engine/graph/graph.js";
import {
  add,
  cast,
  clip,
  div,
  exp,
  log,
  mul,
  neg,
  reduceSum,
  sqrt,
  stopGradient,
  sub,
  unsqueeze,
} from "../../engine/operators/index.js";
import { correctClass, counted, crossEntropy, oneHot, pick } from "./classes.js";
import type { PixelFunction } from "./task.js";

// Losses for many pixels with a class each (Croce, Singh & Hein 2024, section 4): cross-entropy spends its gradient on pixels that are wrong already; these
// do not. All are per pixel, unreduced, 0 where the label is ignored.

/** 1 where the pixel is still right, as a constant for the gradient. */
const stillRight: PixelFunction = (z, y, options) => stopGradient(correctClass(z, y, options));

/** L_MCE: cross-entropy where the pixel is still right, 0 elsewhere. */
export const maskedCrossEntropy: PixelFunction = (z, y, options) => mul(crossEntropy(z, y, options), stillRight(z, y, options));

/**
 * L_MCE-Bal: masked cross-entropy whose classes weigh alike however many pixels they have, times N / (C N_y) for the N_y of N counted pixels that have the
 * label y, and the C classes that are there. The paper counts pixels over the data set; here they are counted in the image, since a loss sees no more.
 */
export const balancedMaskedCrossEntropy: PixelFunction = Object.assign<PixelFunction, { readonly sees: "whole prediction" }>(
  (z, y, options) => mul(maskedCrossEntropy(z, y, options), rarity(z, y, counted(y, options))),
  { sees: "whole prediction" },
);

/** N / (C N_y), per pixel; [B, H, W], or [B], where it is 1. */
function rarity(z: Value, y: Value, counts: Value): Value {
  const axes = y.shape.map((_, i) => i + 1).slice(1);
  if (axes.length === 0) return counts;
  const members = mul(cast(oneHot(y, z.shape[1]!), "float32"), unsqueeze(counts, [1]));
  const pixels = reduceSum(members, axes, "keep");
  const present = reduceSum(clip(pixels, 0, 1), [1], "keep");
  const all = reduceSum(pixels, [1], "keep");
  const factor = div(all, mul(clip(pixels, 1), clip(present, 1)));
  return reduceSum(mul(members, factor), [1], "drop");
}

/**
 * L_JS: the Jensen-Shannon divergence of softmax p and one-hot label, (KL(p, m) + KL(e_y, m)) / 2 with m their mean. All terms but the label's are
 * p_j log 2, so it is (log 2 (1 - p_y) + p_y log(2 p_y / (p_y + 1)) + log(2 / (p_y + 1))) / 2. It is bounded by log 2, and its gradient goes to 0 with p_y:
 * pixels that are clearly wrong stop pulling.
 */
export const jensenShannon: PixelFunction = (z, y, options) => {
  // log p_y = -cross-entropy keeps the digits of small losses; ignored labels give 0 there, and are masked below.
  const logP = neg(crossEntropy(z, y, options));
  const p = exp(logP);
  const half = log(mul(add(p, 1), 0.5));
  const others = mul(sub(1, p), Math.LN2);
  const label = mul(p, sub(logP, half));
  return mul(mul(sub(add(others, label), half), 0.5), counted(y, options));
};

/** L_Sphere, masked: -(z / ‖z‖)_y where the pixel is still right, 0 elsewhere: the label's logit on the sphere, whatever the scale of the logits. */
export const maskedSpherical: PixelFunction = (z, y, options) => {
  const length = sqrt(clip(reduceSum(mul(z, z), [1], "keep"), 1e-24));
  return mul(neg(pick(div(z, length), y)), stillRight(z, y, options));
};
