import type { Tensor } from "../../engine/tensor/tensor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";

/**
 * Holds class labels against the model's classes: a label beyond them would be a pixel that no prediction can get right or wrong.
 *
 * @param where the sample or file, for the message.
 * @returns a sentence naming the first label that is neither a class nor ignored; undefined where all are.
 */
export function labelProblem(target: Tensor, classes: number, spec: ModelSpec, where: string): string | undefined {
  if (spec.task !== "classification" && spec.task !== "segmentation") return undefined;
  const ignored = new Set(spec.ignore);
  for (const v of target.data as BigInt64Array) {
    const label = Number(v);
    if ((label >= 0 && label < classes) || ignored.has(label)) continue;
    return `${where} has the label ${label - spec.labelOffset}, but the model's classes are ${-spec.labelOffset} to ${classes - 1 - spec.labelOffset}; say with --ignore or --label-offset how they fit.`;
  }
  return undefined;
}
