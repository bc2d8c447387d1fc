import type { Tensor } from "../../engine/tensor/tensor.js";
import type { AttackSite } from "../../methods/attacks/step-graph.js";
import { modelPredictor } from "../../vision/spec/model-predictor.js";
import { tasks } from "../../vision/tasks/index.js";
import type { AttackPlan } from "./plan.js";
import type { AttackContext } from "./run-attack.js";
import { transformOf } from "./transform-of.js";

/** Where a plan's attacks are compiled, for one size of batch and image. */
export async function siteOf(
  { engine, model, plan, region }: AttackContext,
  size: { readonly batch: number; readonly height: number; readonly width: number; readonly valid: boolean },
): Promise<AttackSite> {
  const predictor = await modelPredictor(model, plan.spec, size, (m) => engine.evaluate(m));
  const transform = await transformOf(plan.attack.eot, Object.values(predictor.images)[0]!, engine);
  return {
    predictor,
    task: tasks[plan.spec.task],
    ignore: plan.spec.ignore,
    valid: size.valid,
    region: region !== undefined,
    scale: plan.attack.scale,
    ...(transform && { transform }),
    ...(plan.attack.perturb && { perturb: plan.attack.perturb }),
  };
}

/** What the loss compares one sample's prediction with: the attacker's wish, else the truth where the plan says so and there is one, else the model's own clean prediction. */
export function drivenBy(
  { reference }: Pick<AttackPlan, "reference">,
  { truth, target, prediction }: { truth: Tensor | undefined; target: Tensor | undefined; prediction: Tensor },
): Tensor {
  return target ?? (reference === "truth" ? (truth ?? prediction) : prediction);
}
