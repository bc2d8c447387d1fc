import { tasks } from "../../../vision/tasks/index.js";
import type { AttackPlan } from "../plan.js";
import type { AttackRecord } from "../run-attack.js";
import { type Check, gained, notApplicable, percent, wonBy } from "./check.js";

/** An attack that lives only between two 8-bit levels is none for a camera, a file or a web page. */
export function survivesRounding(plan: AttackPlan, records: readonly AttackRecord[]): Check {
  const { attack, goal, spec } = plan;
  const name = "Survives 8-bit rounding";
  const effective = records.filter((r) => r.loss && gained(goal.kind, r.loss.clean, r.loss.adversarial) > 0);
  if (effective.length === 0) return notApplicable(name, "No attack had an effect that could survive.");
  const kept = effective.map(
    ({ loss }) => gained(goal.kind, loss!.clean, loss!.saved) / gained(goal.kind, loss!.clean, loss!.adversarial),
  );
  const { kind, extent } = tasks[spec.task];
  const oneClass = kind === "classes" && extent === "image";
  const survived = effective.filter((r, i) => (oneClass ? staysWrong(plan, r) : kept[i]! >= 0.9));
  const share = survived.length / effective.length;
  const numbers = { attacks: effective.length, share, "least effect kept": Math.min(...kept) };
  const what = oneClass ? "keep their wrong class" : "keep at least 90 % of their effect";
  const found = `${percent(share)} of ${effective.length} attacks ${what} when saved as 8-bit images`;
  if (attack.definition.seeks === "smallest perturbation")
    return notApplicable(name, `${found}; the smallest perturbations lie at the border, where less than a level decides.`);
  if (share >= 0.9) return { name, verdict: "passed", sentence: `${found}.`, numbers };
  return {
    name,
    verdict: share >= 0.5 ? "warning" : "failed",
    sentence: `${found}: report the numbers of the saved images, or search on the grid with --grid 8-bit.`,
    numbers,
  };
}

/** Success of the float image implies success of the saved one. */
const staysWrong = (plan: AttackPlan, record: AttackRecord): boolean =>
  wonBy(plan, record, "adversarial") !== true || wonBy(plan, record, "saved") === true;
