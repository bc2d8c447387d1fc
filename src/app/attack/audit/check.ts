import { tasks } from "../../../vision/tasks/index.js";
import type { AttackPlan } from "../plan.js";
import type { AttackRecord } from "../run-attack.js";

/** What one question about a run came to. */
export type Verdict = "passed" | "warning" | "failed" | "not applicable";

export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found and what follows from it, for a reader who did not set up the run. */
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number | string | null>>;
}

export const notApplicable = (name: string, sentence: string): Check => ({
  name,
  verdict: "not applicable",
  sentence,
  numbers: {},
});

/** 0.8725 -> "87 %"; keeps one decimal below 10 %. */
export const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** How much an attack achieved: the loss gained when driving away, lost when driving towards a target. */
export const gained = (goal: "untargeted" | "targeted", from: number, to: number): number =>
  goal === "untargeted" ? to - from : from - to;

export const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Whether the attacker has what he wants of a sample with one class: it is wrong, or shows the target; undefined where there is no such question.
 */
export function wonBy(
  { goal, spec, reference }: AttackPlan,
  { scores }: AttackRecord,
  stage: "clean" | "adversarial" | "saved",
): boolean | undefined {
  const { kind, extent } = tasks[spec.task];
  if (kind !== "classes" || extent !== "image" || !scores) return undefined;
  const { truth, target, prediction } = scores[stage];
  if (goal.kind === "targeted") return target?.value === 1;
  return ((reference === "truth" && truth) || prediction).value === 0;
}

/** Whether losses say nothing of a sample, because the attack leaves an image alone, or no further than it must, once it is won. */
export const settled = (plan: AttackPlan, record: AttackRecord): boolean => {
  const { until, seeks } = plan.attack.definition;
  return (until === "won" || seeks !== undefined) && wonBy(plan, record, "adversarial") === true;
};
