import type { Engine } from "../../engine/runtime/engine.js";
import type { Attack, Goal } from "../../methods/attacks/attack.js";
import { type AttackName, type AttackOptions, attacks } from "../../methods/attacks/catalogue/index.js";
import { type CompiledAttack, compileAttack } from "../../methods/attacks/compile-attack.js";
import { CompiledEnsemble, ensembleMembers } from "../../methods/attacks/ensemble.js";
import { norms } from "../../methods/attacks/norms/index.js";
import type { AttackSite } from "../../methods/attacks/step-graph.js";
import { tasks } from "../../vision/tasks/index.js";
import { UsageError } from "../cli/errors.js";
import type { AttackPlan } from "./plan.js";
import { usualSteps } from "./usual.js";

/** What a user says of an attack, as a plan and the command line hold it. */
export type AttackSettings = Pick<AttackPlan["attack"], "norm" | "epsilon" | "restarts" | "grid" | "schedule"> &
  Partial<Pick<AttackPlan["attack"], "steps" | "stepSize" | "randomStart" | "loss" | "alignment">>;

const optionsOf = (settings: AttackSettings, goal: Goal): AttackOptions => ({
  norm: norms[settings.norm],
  goal,
  epsilon: settings.epsilon,
  steps: settings.steps ?? usualSteps,
  restarts: settings.restarts,
  grid: settings.grid,
  schedule: settings.schedule,
  ...(settings.randomStart === "ball" && { start: "ball" as const }),
  ...(settings.stepSize !== undefined && { stepSize: settings.stepSize }),
  ...(settings.loss && { loss: settings.loss }),
  ...(settings.alignment && { alignment: settings.alignment }),
});

/**
 * One attack by name.
 *
 * @throws UsageError for settings that it would leave unused.
 */
export function attackOf(name: AttackName, settings: AttackSettings, goal: Goal): Attack {
  const attack = attacks[name](optionsOf(settings, goal));
  const own = attack.stepLengths && stepLengths[attack.stepLengths];
  if (settings.alignment && !attack.weight.alignment)
    throw new UsageError(`--alignment goes with cospgd, apgd-cospgd and ensemble; ${name} has none.`);
  if (settings.stepSize !== undefined && own) throw new UsageError(`--step-size: ${name} ${own}; leave it out.`);
  if (settings.schedule !== "constant" && own)
    throw new UsageError(`--schedule ${settings.schedule}: ${name} ${own}; leave it out.`);
  if (
    settings.randomStart === "ball" &&
    attacks[name](optionsOf({ ...settings, randomStart: "published" }, goal)).start === "clean"
  )
    throw new UsageError(`--random-start ball: ${name} starts at the clean image; leave it out.`);
  if (settings.steps !== undefined && settings.steps !== attack.budget.steps)
    throw new UsageError(`--steps ${settings.steps}: ${name} ${own}; leave it out.`);
  return attack;
}

/** Why no step size can be given. */
const stepLengths: Readonly<Record<NonNullable<Attack["stepLengths"]>, string>> = {
  "one full step": "takes one step of length epsilon",
  none: "takes no step",
  own: "sets its step sizes itself",
};

/** Whether the attack of a plan searches at all; random noise does not. */
export const searches = (plan: Pick<AttackPlan, "attack" | "goal" | "spec">): boolean =>
  attacksOf(plan).some((attack) => attack.stepLengths !== "none");

/**
 * The attacks that a plan names: one, or the members of an ensemble.
 *
 * @throws UsageError for settings that none of them would use.
 */
export function attacksOf({ attack, goal, spec }: Pick<AttackPlan, "attack" | "goal" | "spec">): Attack[] {
  if (attack.name !== "ensemble") return [attackOf(attack.name, attack, goal.kind)];
  const refuse = (flag: string, why: string) =>
    new UsageError(`${flag}: for ${spec.task} the ensemble's members ${why}; leave it out.`);
  const { kind, extent } = tasks[spec.task];
  const whole = kind === "classes" && extent === "image";
  if (whole && attack.loss) throw refuse("--loss", "have losses of their own");
  if (whole && attack.alignment) throw refuse("--alignment", "have none");
  if ((whole || kind !== "classes") && (attack.stepSize !== undefined || attack.schedule !== "constant"))
    throw refuse(attack.stepSize !== undefined ? "--step-size" : "--schedule", "set their step sizes themselves");
  return ensembleMembers(spec.task, optionsOf(attack, goal.kind));
}

/** One attack compiled as itself, several as the worst of them. */
export function compileAll(
  engine: Engine,
  list: readonly Attack[],
  site: AttackSite,
): Promise<CompiledAttack | CompiledEnsemble> {
  return list.length === 1 ? compileAttack(engine, list[0]!, site) : CompiledEnsemble.compile(engine, list, site);
}
