import type { TrainRecord } from "./run-train.js";

/** Which evaluation counts as the best, and how long to wait for a better one. */
export interface BestRule {
  /** One of the task's metrics. */
  readonly metric: string;
  readonly better: "higher" | "lower";
  /** Evaluations without improvement after which training ends; undefined: it goes to the last step. */
  readonly patience: number | undefined;
  /** What a value must gain on the best one to be better. */
  readonly improvement: number;
}

export interface BestSoFar {
  /** The best evaluation so far. */
  readonly best: TrainRecord | undefined;
  /** Evaluations since then. */
  readonly waited: number;
}

/**
 * How things stand after a step. It follows from the records alone, so that a resumed run keeps and stops where an unbroken one does; an
 * interrupted run's records may be ahead of its checkpoint, and those count only when their step is reached again.
 */
export function bestSoFar(step: number, records: readonly TrainRecord[], { metric, better, improvement }: BestRule): BestSoFar {
  const sign = better === "higher" ? 1 : -1;
  let best: TrainRecord | undefined;
  let waited = 0;
  for (const record of records) {
    if (!record.evaluation || record.index > step) continue;
    // A metric that was no number is not in the record.
    const value = record.evaluation[metric];
    const gain =
      value === undefined ? Number.NaN : sign * (value - (best?.evaluation?.[metric] ?? -sign * Number.POSITIVE_INFINITY));
    if (gain > improvement) {
      best = record;
      waited = 0;
    } else waited++;
  }
  return { best, waited };
}

export const isExhausted = ({ waited }: BestSoFar, { patience }: BestRule): boolean =>
  patience !== undefined && waited >= patience;
