import { endPointError, known, l1, l2, residualAlignment, softmaxAlignment, withinScale } from "./regression.js";
import type { Task } from "./task.js";

/** Optical flow: the motion of each pixel from the first to the second image, (right, down), in pixels. */
export const flow: Task = {
  name: "flow",
  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { "end-point-error": endPointError, l1, l2 },
  alignments: { softmax: softmaxAlignment, residual: residualAlignment },
  correct: withinScale,
  ignore: [],
  scale: 1,
  judgedBy: "loss",
  counted: known,
  pixelUnits: ["width", "height"],
  valuesBetween: "do not exist",
  asTarget: (prediction) => prediction,
};
