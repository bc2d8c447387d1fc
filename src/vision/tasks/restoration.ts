import { clip } from "../../engine/operators/index.js";
import { l1, l2, residualAlignment, softmaxAlignment, withinScale } from "./regression.js";
import type { PixelFunction, Task } from "./task.js";

/** The restored image is clamped to [0, 1] before the loss, as the published evaluation does. */
const clamped =
  (f: PixelFunction): PixelFunction =>
  (prediction, target, options) =>
    f(clip(prediction, 0, 1), target, options);

/** Image restoration (deblurring, denoising, ...): an image for an image, intensities in [0, 1]. */
export const restoration: Task = {
  name: "restoration",
  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { l1: clamped(l1), l2: clamped(l2) },
  alignments: { softmax: clamped(softmaxAlignment), residual: clamped(residualAlignment) },
  correct: clamped(withinScale),
  asTarget: (prediction) => clip(prediction, 0, 1),
};
