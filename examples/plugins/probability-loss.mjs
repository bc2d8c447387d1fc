import { exp, neg, sub, taskLoss, tasks } from "faultline";

/** 1 - p, p being the probability of the label: pixels that are lost already hardly pull any more. 0 where the label is ignored, as cross-entropy is. */
const probability = (prediction, target, options) =>
  sub(1, exp(neg(tasks.segmentation.losses["cross-entropy"](prediction, target, options))));

export default taskLoss("segmentation", "probability", probability);
