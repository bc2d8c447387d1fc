import type { NormName } from "../../methods/attacks/lengths.js";
import { median } from "../../vision/metrics/median.js";
import type { AttackPlan } from "./plan.js";
import type { AttackRecord } from "./run-attack.js";

/** What a search for the smallest perturbations came to, over the samples. */
export interface SmallestSummary {
  /** What was made small. */
  readonly norm: NormName;
  /** Samples that were right before (towards a target: did not show it): those that there was something to find for. */
  readonly right: number;
  /** How many of them never broke, within epsilon where there is one. */
  readonly unbroken: number;
  /** Radius within which half of them broke; null where fewer did. */
  readonly median: number | null;
  /** At radii of the literature, the share of all samples that hold: in classification the accuracy under attack. */
  readonly accuracy: readonly Point[];
}

/** Which share of the samples holds against perturbations of at most epsilon. */
export interface Point {
  readonly epsilon: number;
  readonly share: number;
}

/** Radii at which papers give accuracies. */
const usualRadii: Readonly<Record<NormName, readonly number[]>> = {
  l_inf: [1, 2, 4, 8, 16].map((levels) => levels / 255),
  l_2: [0.25, 0.5, 1, 2, 3],
  l_1: [5, 12, 25, 50],
  l_0: [5, 10, 25, 50, 100],
};

/** Sizes of the smallest perturbations, ascending: 0 where a sample was wrong already, infinite where it never broke. */
function radiiOf(records: readonly AttackRecord[]): number[] {
  return records
    .filter((r) => r.scores)
    .map((r) => r.found?.radius ?? Number.POSITIVE_INFINITY)
    .sort((a, b) => a - b);
}

/** Absent where the attack looks for something else. */
export function smallestOver({ attack }: AttackPlan, records: readonly AttackRecord[]): { readonly smallest?: SmallestSummary } {
  if (attack.definition.seeks !== "smallest perturbation") return {};
  const { norm, epsilon = Number.POSITIVE_INFINITY } = attack.budget;
  const all = radiiOf(records);
  const right = all.filter((r) => r > 0);
  const middle = median(right);
  const radii = [...usualRadii[norm].filter((r) => r < epsilon), ...(Number.isFinite(epsilon) ? [epsilon] : [])];
  return {
    smallest: {
      norm,
      right: right.length,
      unbroken: right.filter((r) => !Number.isFinite(r)).length,
      median: Number.isFinite(middle) ? middle : null,
      accuracy: radii.map((at) => ({ epsilon: at, share: holding(all, at) })),
    },
  };
}

/** (A float32 image may lie beyond a radius by its last digits.) */
const holding = (radii: readonly number[], epsilon: number): number =>
  radii.length === 0 ? 0 : radii.filter((r) => r > epsilon * (1 + 1e-6)).length / radii.length;

/** The whole curve, a point for each radius at which a sample breaks; from 0, where only those hold that were right. */
export function accuracyCurve(records: readonly AttackRecord[]): readonly Point[] {
  const all = radiiOf(records);
  const radii = [...new Set([0, ...all.filter(Number.isFinite)])];
  return radii.map((epsilon) => ({ epsilon, share: holding(all, epsilon) }));
}

/** curve.csv */
export const curveCsv = (points: readonly Point[]): string =>
  `epsilon,share that holds\n${points.map(({ epsilon, share }) => `${epsilon},${share}`).join("\n")}\n`;
