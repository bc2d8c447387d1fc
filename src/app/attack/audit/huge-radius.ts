import type { CompiledAscent } from "../../../methods/attacks/ascent/compile-ascent.js";
import type { AttackBatch } from "../../../methods/attacks/batch.js";
import type { NormName } from "../../../methods/attacks/lengths.js";
import { tasks } from "../../../vision/tasks/index.js";
import type { AttackPlan } from "../plan.js";
import type { AttackRecord } from "../run-attack.js";
import { gained } from "./check.js";
import type { HugeTrial } from "./evidence.js";

/** A search in the huge ball takes at least this many steps, however few the run took: two long steps are lost in it, and prove nothing. */
const leastSteps = 20;
/** A search that goes no further is tried again with 2 and 4 times the steps, each a half and a quarter as long. */
const lengthenings = [1, 2, 4];
/** Steps of a search could cross the ball's radius this many times. */
const reach = 2.5;

/** Radius at which nearly every image is allowed: 0.5 in l_inf, and the same perturbation measured in the other norms (every value, in l_0). */
export function hugeRadius(norm: NormName, elements: number): number {
  return { l_inf: 0.5, l_2: 0.5 * Math.sqrt(elements), l_1: 0.5 * elements, l_0: elements }[norm];
}

/** The same attack (for an ensemble: its members in turn) in the huge ball, with more and shorter steps until it goes clearly further. */
export async function searchHugeBall(
  plan: AttackPlan,
  members: readonly CompiledAscent[],
  batch: AttackBatch,
  loss: NonNullable<AttackRecord["loss"]>,
  epsilon: number,
): Promise<HugeTrial> {
  let furthest: HugeTrial | undefined;
  for (const times of lengthenings) {
    for (const member of members) {
      const steps = times * Math.max(leastSteps, member.attack.budget.steps);
      const budget = { epsilon, restarts: 1, steps, stepSize: (reach * epsilon) / steps };
      const { images } = await member.withBudget(budget).run(batch);
      // All members' results in the loss of the first, which is the record's.
      const reached = await members[0]!.evaluate(batch, images);
      const found: HugeTrial = { loss: reached.loss[0]!, correct: reached.correct[0]!, steps };
      furthest = !furthest || gained(plan.goal.kind, furthest.loss, found.loss) > 0 ? found : { ...furthest, steps };
      if (goesFurther(plan, loss, furthest)) return furthest;
    }
  }
  return furthest!;
}

/** Gained at least a tenth more than in the run's own ball, or nothing was left to gain. */
export const goesFurther = (plan: AttackPlan, run: { clean: number; adversarial: number }, huge: HugeTrial): boolean =>
  ratioOfGains(plan, run, huge) >= 1.1 || nothingLeft(plan, run.clean, huge);

export const ratioOfGains = ({ goal }: AttackPlan, run: { clean: number; adversarial: number }, huge: HugeTrial): number =>
  gained(goal.kind, run.clean, huge.loss) / Math.max(gained(goal.kind, run.clean, run.adversarial), 1e-12);

/** Of classes: hardly one is right any more (or hardly one is not the target). Towards any target: hardly any loss is left. */
function nothingLeft({ goal, spec }: AttackPlan, clean: number, { loss, correct }: HugeTrial): boolean {
  const classes = tasks[spec.task].kind === "classes";
  if (goal.kind === "targeted") return loss <= 0.05 * clean || (classes && correct >= 0.99);
  return classes && correct <= 0.01;
}
