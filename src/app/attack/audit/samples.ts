import { stack } from "../../../engine/tensor/arrays.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import type { AttackBatch } from "../../../methods/attacks/batch.js";
import { tasks } from "../../../vision/tasks/index.js";
import { drivenBy } from "../attacked-model.js";
import type { Prepared } from "../prepare.js";
import type { AttackContext } from "../run-attack.js";

// One sample of a run as the batch that is attacked again.

export function sizeOfPrepared({ images }: Prepared): { height: number; width: number } {
  const [, height, width] = Object.values(images)[0]!.shape as [number, number, number];
  return { height, width };
}

export const hasMask = ({ plan }: AttackContext, { valid }: Prepared): boolean =>
  valid !== undefined && tasks[plan.spec.task].extent === "pixels";

export const batchImages = ({ images }: Prepared): Record<string, Tensor<"float32">> =>
  Object.fromEntries(Object.entries(images).map(([role, image]) => [role, stack([image])]));

export function batchOf(context: AttackContext, prepared: Prepared, prediction: Tensor): AttackBatch {
  const { plan, target, region } = context;
  const { task, output } = plan.spec;
  const driven = drivenBy(
    plan,
    {
      truth: prepared.target,
      target: target?.(prediction, output),
      prediction: tasks[task].ownTarget(prediction, output),
    },
    prediction,
  );
  return {
    images: batchImages(prepared),
    target: stack([driven]),
    ...(hasMask(context, prepared) && { valid: stack([prepared.valid!]) }),
    ...(region && { region: stack([region]) }),
    samples: [prepared.id],
    seed: plan.seed,
  };
}
