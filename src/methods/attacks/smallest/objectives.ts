import type { Value } from "../../../engine/graph/graph.js";
import { cast, less, lessOrEqual, mul, neg, relu, stopGradient, sub } from "../../../engine/operators/index.js";
import { counted, crossEntropy, margin, pick } from "../../../vision/tasks/classes.js";
import type { Goal } from "../attacked-model.js";
import type { Objective } from "../objective.js";

// What searches for the smallest perturbation lower. Where every pixel has a class, pixels that are won already add nothing: as in DAG (Xie et al. 2017),
// the push is on those that are left.

/**
 * By how much the largest logit but the label's must rise to pass it, z_y - max_{j≠y} z_j; towards a target t, by how much t's must, max_{j≠t} z_j - z_t.
 * Negative beyond the border, where there is one prediction for an image.
 */
export const marginLeft =
  (goal: Goal): Objective =>
  ({ task, prediction, target, options }) => {
    const lead = margin(prediction, target, options);
    const left = goal === "untargeted" ? lead : neg(lead);
    return task.extent === "image" ? left : relu(left);
  };

/** Cross-entropy with the label, negative; towards a target, with the target. */
export const crossEntropyLeft =
  (goal: Goal): Objective =>
  ({ task, prediction, target, options }) => {
    const loss = crossEntropy(prediction, target, options);
    const left = goal === "untargeted" ? neg(loss) : loss;
    if (task.extent === "image") return left;
    const lead = margin(prediction, target, options);
    const open: Value = goal === "untargeted" ? less(neg(lead), 0) : lessOrEqual(lead, 0);
    return mul(left, stopGradient(cast(open, "float32")));
  };

/** z_y - z_r: by how much the logit of one class, the input `rival`, must rise to pass the target's. */
export const leadOverRival: Objective = ({ prediction, target, options, also }) =>
  mul(sub(pick(prediction, target), pick(prediction, also("rival"))), counted(target, options));
