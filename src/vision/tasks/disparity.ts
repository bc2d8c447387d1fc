import { columnAlignment, known, l1, l2, residualAlignment, softmaxAlignment, withinScale } from "./regression.js";
import type { Task } from "./task.js";

/**
 * Stereo disparity (or depth): one number for each pixel. The published alignment is constant 1 here (softmax over one channel), so that
 * CosPGD would be PGD; `residual` is the one to use.
 */
export const disparity: Task = {
  name: "disparity",
  target: ({ shape }) => ({ type: "float32", shape }),
  losses: { l1, l2 },
  alignments: { softmax: softmaxAlignment, residual: residualAlignment, columns: columnAlignment },
  correct: withinScale,
  ignore: [],
  scale: 1,
  judgedBy: "loss",
  counted: known,
  pixelUnits: ["width"],
  valuesBetween: "do not exist",
  asTarget: (prediction) => prediction,
};
