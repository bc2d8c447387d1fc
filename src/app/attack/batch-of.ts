import { stack, unstack } from "../../engine/tensor/arrays.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { AttackBatch } from "../../methods/attacks/batch.js";
import { DataError } from "../../vision/data/error.js";
import { tasks } from "../../vision/tasks/index.js";
import { drivenBy } from "./attacked-model.js";
import { labelProblem, nothingCounts } from "./labels.js";
import { type Prepared, withoutTruth } from "./prepare.js";
import type { AttackContext } from "./run-attack.js";

/** Samples of one size as a batch to attack, and what each of them is held against. */
export interface Driven {
  readonly batch: AttackBatch;
  /** A sentence for each sample whose labels the model cannot have, or of which nothing counts. */
  readonly problems: readonly (string | undefined)[];
  readonly truth: readonly (Tensor | undefined)[];
  readonly wanted: readonly Tensor[] | undefined;
  /** The model's own clean predictions, as targets. */
  readonly own: readonly Tensor[];
}

/**
 * A sample with labels that the model cannot have is attacked like one without, for its neighbors' sake.
 *
 * @param clean the model's prediction for the samples' images, [B, ...].
 */
export function batchOf(
  { plan, target: makeTarget, region }: Pick<AttackContext, "plan" | "target" | "region">,
  group: readonly Prepared[],
  clean: Tensor,
): Driven {
  const task = tasks[plan.spec.task];
  const images = imagesOf(group);
  const problems = group.map(
    (p) =>
      (p.target && labelProblem(p.target, clean.shape[1]!, { ...plan.spec, ignore: [withoutTruth] }, p.id)) ??
      nothingCounts(p, plan),
  );
  const valid = group[0]!.valid && task.extent === "pixels" ? stack(group.map((p) => p.valid!)) : undefined;
  const own = group.map((_, i) => task.ownTarget(unstack(clean, i), plan.spec.output));
  const truth = group.map((p, i) => (problems[i] ? undefined : p.target));
  const wanted = makeTarget && group.map((_, i) => makeTarget(unstack(clean, i), plan.spec.output));
  const driven = group.map((_, i) =>
    drivenBy(plan, { truth: truth[i], target: wanted?.[i], prediction: own[i]! }, unstack(clean, i)),
  );
  return {
    batch: {
      images,
      target: stack(driven),
      ...(valid && { valid }),
      ...(region && { region: regionBatch(region, Object.values(images)[0]!, group[0]!.id) }),
      samples: group.map((p) => p.id),
      seed: plan.seed,
    },
    problems,
    truth,
    wanted,
    own,
  };
}

/** The images of samples of one size, by role. */
export const imagesOf = (group: readonly Prepared[]): Readonly<Record<string, Tensor<"float32">>> =>
  Object.fromEntries(Object.keys(group[0]!.images).map((role) => [role, stack(group.map((p) => p.images[role]!))]));

function regionBatch(region: Tensor<"float32">, images: Tensor, sample: string): Tensor<"float32"> {
  const [batch, , h, w] = images.shape as [number, number, number, number];
  if (region.shape[1] !== h || region.shape[2] !== w)
    throw new DataError(`The region is ${region.shape[2]}x${region.shape[1]}, but ${sample} is ${w}x${h} when it is attacked.`);
  return stack(Array.from({ length: batch }, () => region)) as Tensor<"float32">;
}
