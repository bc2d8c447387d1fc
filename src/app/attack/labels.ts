import type { Tensor } from "../../engine/tensor/tensor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { objectsOf } from "../../vision/tasks/detection/boxes.js";
import { tasks } from "../../vision/tasks/index.js";
import type { AttackPlan } from "./plan.js";
import { type Prepared, withoutTruth } from "./prepare.js";

/**
 * Holds class labels against the model's classes: a label beyond them would be a pixel that no prediction can get right or wrong.
 *
 * @param where the sample or file, for the message.
 * @param classes channels of the prediction.
 * @returns a sentence naming the first label that is neither a class nor ignored; undefined where all are.
 */
export function labelProblem(target: Tensor, classes: number, spec: ModelSpec, where: string): string | undefined {
  const { kind } = tasks[spec.task];
  if (kind === "boxes") return classProblem(target, classes - 4, where);
  if (kind !== "classes") return undefined;
  const ignored = new Set(spec.ignore);
  for (const v of target.data as BigInt64Array) {
    const label = Number(v);
    if ((label >= 0 && label < classes) || ignored.has(label)) continue;
    return `${where} has the label ${label - spec.labelOffset}, but the model's classes are ${-spec.labelOffset} to ${classes - 1 - spec.labelOffset}; say with --ignore or --label-offset how they fit.`;
  }
  return undefined;
}

/** The same for a list of objects. */
function classProblem(target: Tensor, classes: number, where: string): string | undefined {
  for (const { label } of objectsOf(target)) {
    if (label >= classes)
      return `${where} has an object of class ${label}, but the model's classes are 0 to ${classes - 1}: is this the data set that it was trained for? (COCO's classes are counted through, or with --variant ids have COCO's own numbers.)`;
  }
  return undefined;
}

/** A sentence where not one pixel of a sample counts: the loss is 0 whatever the attack does, and nothing can be said of it. */
export function nothingCounts({ target, valid, id }: Prepared, { goal, reference, spec }: AttackPlan): string | undefined {
  if (valid?.data.every((v) => v === 0)) return `${id} has no pixel with ground truth: its mask is 0 everywhere.`;
  if (tasks[spec.task].kind !== "classes") return undefined;
  if (!target || goal.kind === "targeted" || reference === "prediction") return undefined;
  return (target.data as BigInt64Array).every((label) => Number(label) === withoutTruth)
    ? `${id} has no label that counts: all are among the ignored ones (${spec.ignore.join(", ")}).`
    : undefined;
}
