import { clip } from "../../engine/operators/index.js";
import { known, l1, l2, residualAlignment, softmaxAlignment, withinScale } from "./regression.js";
import type { Alignment, PixelFunction, Task } from "./task.js";

/** The restored image is clamped to [0, 1] before the loss, as the published evaluation does. */
const clamped =
  (f: PixelFunction): PixelFunction =>
  (prediction, target, options) =>
    f(clip(prediction, 0, 1), target, options);

const both = ({ cosine, complement }: Alignment): Alignment => ({ cosine: clamped(cosine), complement: clamped(complement) });

/** Image restoration (deblurring, denoising, ...): an image for an image, intensities in [0, 1]. */
export const restoration: Task = {
  name: "restoration",
  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { l1: clamped(l1), l2: clamped(l2) },
  alignments: { softmax: both(softmaxAlignment), residual: both(residualAlignment) },
  correct: clamped(withinScale),
  ignore: [],
  // Restored intensities are off by a few hundredths where a network does well; 1 would call every pixel right.
  scale: 0.05,
  judgedBy: "loss",
  counted: known,
  pixelUnits: [],
  valuesBetween: "exist",
  asTarget: (prediction) => clip(prediction, 0, 1),
};
