import type { Tensor } from "../../engine/tensor/tensor.js";
import { type AttackedModel, imagesOf } from "../../methods/attacks/attacked-model.js";
import { inTiles } from "../../methods/attacks/in-tiles.js";
import { framed } from "../../vision/framed-predictor.js";
import { checkSpec, modelPredictor, type PredictorSize } from "../../vision/spec/model-predictor.js";
import { tasks } from "../../vision/tasks/index.js";
import { taskWith } from "../plugins/plugins.js";
import type { AttackPlan } from "./plan.js";
import { withoutTruth } from "./prepare.js";
import type { AttackContext } from "./run-attack.js";
import { transformOf } from "./transform-of.js";

/** The model as a plan's attack meets it, for one size of batch and image. */
export async function attackedModel(
  { engine, model, plan, at, plugins, region }: Pick<AttackContext, "engine" | "model" | "plan" | "at" | "plugins" | "region">,
  size: PredictorSize & { readonly valid: boolean },
): Promise<AttackedModel> {
  const task = taskWith(tasks[plan.spec.task], plugins);
  const predictorFor = (s: PredictorSize) => modelPredictor(model, plan.spec, s, (m) => engine.evaluate(m));
  // A model whose file fixes how many images it takes at a time goes through a batch in parts.
  const { batch = plan.attack.definition.partOf?.(size.batch) ?? size.batch } = checkSpec(model, plan.spec);
  const where = {
    ...(plan.fit.mismatch === "tile"
      ? await inTiles(plan.attack, { task, goal: plan.goal.kind }, { ...size, batch }, plan.fit.tiles, predictorFor)
      : { predictor: await framed({ ...size, batch }, plan.spec.size, plan.fit.mismatch, task, predictorFor) }),
    ...(batch !== size.batch && { batch: size.batch }),
  };
  const transform = await transformOf(plan.threat.eot, Object.values(imagesOf(where))[0]!, engine, at);
  return {
    ...where,
    task,
    goal: plan.goal.kind,
    ignore: tasks[plan.spec.task].kind === "classes" ? [withoutTruth] : [],
    valid: size.valid,
    region: region !== undefined,
    scale: plan.threat.scale,
    ...(transform && { transform }),
    ...(plan.threat.perturb && { perturb: plan.threat.perturb }),
    ...(plan.runtime.memory && { memory: plan.runtime.memory }),
  };
}

/**
 * What the loss compares one sample's prediction with: the attacker's wish, else the truth where the plan says so and there is one, else the model's own
 * clean prediction.
 *
 * @param clean the model's prediction for the clean image, on whose places lists of objects are laid.
 */
export function drivenBy(
  { reference, spec }: Pick<AttackPlan, "reference" | "spec">,
  { truth, target, prediction }: { truth: Tensor | undefined; target: Tensor | undefined; prediction: Tensor },
  clean: Tensor,
): Tensor {
  const chosen = target ?? (reference === "truth" ? (truth ?? prediction) : prediction);
  return tasks[spec.task].assigned?.(chosen, clean) ?? chosen;
}
