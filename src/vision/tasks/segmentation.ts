import { argMax } from "../../engine/operators/index.js";
import { correctClass, counted, crossEntropy, sigmoidAlignment, softmaxAlignment } from "./classes.js";
import type { Task } from "./task.js";

/** Semantic segmentation: one label for each pixel. A binary text or mask detector is this too, with two classes (`twoClassLogits`). */
export const segmentation: Task = {
  name: "segmentation",
  target: ({ shape: [b, , h, w] }) => ({ type: "int64", shape: [b!, h!, w!] }),
  losses: { "cross-entropy": crossEntropy },
  alignments: { softmax: softmaxAlignment, sigmoid: sigmoidAlignment },
  correct: correctClass,
  ignore: [255, -1],
  scale: 1,
  judgedBy: "correct",
  counted: (_, labels, options) => counted(labels, options),
  pixelUnits: [],
  valuesBetween: "do not exist",
  asTarget: (z) => argMax(z, 1, "drop"),
};
