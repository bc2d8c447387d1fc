import type { Engine } from "../../engine/runtime/engine.js";
import type { Attack } from "../../methods/attacks/attack.js";
import { type AttackOptions, attacks } from "../../methods/attacks/catalogue/index.js";
import { type CompiledAttack, compileAttack } from "../../methods/attacks/compile-attack.js";
import { CompiledEnsemble, ensembleMembers } from "../../methods/attacks/ensemble.js";
import { norms } from "../../methods/attacks/norms/index.js";
import type { AttackSite } from "../../methods/attacks/step-graph.js";
import type { AttackPlan } from "./plan.js";

/** The attacks that a plan names: one, or the members of an ensemble. */
export function attacksOf({ attack, goal, spec }: Pick<AttackPlan, "attack" | "goal" | "spec">): Attack[] {
  const options: AttackOptions = {
    norm: norms[attack.norm],
    goal: goal.kind,
    epsilon: attack.epsilon,
    steps: attack.steps,
    restarts: attack.restarts,
    grid: attack.grid,
    schedule: attack.schedule,
    ...(attack.stepSize !== undefined && { stepSize: attack.stepSize }),
    ...(attack.loss && { loss: attack.loss }),
    ...(attack.alignment && { alignment: attack.alignment }),
  };
  return attack.name === "ensemble" ? ensembleMembers(spec.task, options) : [attacks[attack.name](options)];
}

/** One attack compiled as itself, several as the worst of them. */
export function compileAll(
  engine: Engine,
  list: readonly Attack[],
  site: AttackSite,
): Promise<CompiledAttack | CompiledEnsemble> {
  return list.length === 1 ? compileAttack(engine, list[0]!, site) : CompiledEnsemble.compile(engine, list, site);
}
