import { formatOf, mayBeInfinite } from "../../vision/metrics/measure.js";
import { type TaskName, tasks } from "../../vision/tasks/index.js";
import { UsageError } from "../cli/errors.js";
import type { AttackPlan } from "./plan.js";
import type { AttackSummary } from "./summary.js";

/** A metric and its bound as it was typed: `miou=40`. */
export interface Bound {
  readonly flag: "--fail-under" | "--fail-over";
  readonly name: string;
  readonly value: number;
  /** Where a percent sign was typed. */
  readonly unit?: "%";
}

/** A bound on a metric of the task. */
export interface Threshold extends Bound {
  /** The metric's own name. */
  readonly metric: string;
}

/** What a bound is about: a task, and what the attacker wishes for, where he does. */
export interface Bounded {
  readonly task: TaskName;
  readonly target?: string | undefined;
}

/** What the bounds of a planned run are about. */
export const boundedBy = ({ spec: { task }, goal }: Pick<AttackPlan, "spec" | "goal">): Bounded => ({
  task,
  ...(goal.kind === "targeted" && { target: goal.target }),
});

/** Letters and digits alone, so that miou, mIoU and m-IoU are one. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

const other = { "--fail-under": "--fail-over", "--fail-over": "--fail-under" } as const;

/** The only flag that says something about a metric, and why; undefined where both do, as of what is neither better nor worse the more there is of it. */
function soleFlag(metric: string, { task, target }: Bounded): { readonly flag: Bound["flag"]; readonly why: string } | undefined {
  const { formats, wish } = tasks[task];
  const { better = "higher" } = formats[metric]!;
  if (better !== "neither")
    return { flag: better === "lower" ? "--fail-over" : "--fail-under", why: `${metric} is better the ${better} it is` };
  const judging = target === undefined ? undefined : wish.judgedBy?.(target);
  if (judging?.name !== metric) return undefined;
  const less = judging.wanted === "lower";
  return {
    flag: less ? "--fail-under" : "--fail-over",
    why: `--target ${target} wants ${less ? "fewer" : "more"} ${metric}`,
  };
}

/**
 * Finds the metrics that bounds name, before any work is done.
 *
 * @throws UsageError for a metric that the task has not, or one that a bound of this kind says nothing about.
 */
export function thresholdsOf(bounds: readonly Bound[], about: Bounded): Threshold[] {
  const { formats } = tasks[about.task];
  // Metrics of single classes are named by the beginning of their names alone.
  const names = Object.keys(formats).filter((name) => formats[name]!.about !== undefined);
  return bounds.map((bound) => {
    const wanted = plain(bound.name);
    const like = names.filter((name) => plain(name).startsWith(wanted));
    const metric = names.find((name) => plain(name) === wanted) ?? (like.length === 1 ? like[0] : undefined);
    if (metric === undefined)
      throw new UsageError(`${bound.flag} ${bound.name}=${bound.value}: ${about.task} has the metrics ${names.join(", ")}.`);
    const sole = soleFlag(metric, about);
    if (sole && sole.flag !== bound.flag)
      throw new UsageError(`${bound.flag} ${bound.name}: ${sole.why}; say ${other[bound.flag]} ${bound.name}=${bound.value}.`);
    // In tables a share stands as 0.4: who types that means 40 %, and a bound of 0.4 % would hardly ever be missed.
    if (formats[metric]!.share && bound.unit === undefined && bound.value > 0 && bound.value < 1) {
      const whole = Number((100 * bound.value).toPrecision(6));
      throw new UsageError(
        `${bound.flag} ${bound.name}=${bound.value}: shares are in percent; write ${bound.name}=${whole}, or ${bound.name}=${bound.value}% if that is meant.`,
      );
    }
    return { ...bound, metric };
  });
}

/**
 * `thresholdsOf` for runs of which some may be about other tasks: of those, a bound on a metric that they do not have says nothing.
 *
 * @throws UsageError for a bound that says nothing of any of them.
 */
export function thresholdsAmong(bounds: readonly Bound[], runs: readonly Bounded[]): (about: Bounded) => Threshold[] {
  const of = (bound: Bound, about: Bounded): Threshold[] | UsageError => {
    try {
      return thresholdsOf([bound], about);
    } catch (error) {
      if (error instanceof UsageError) return error;
      throw error;
    }
  };
  for (const bound of bounds) {
    const found = runs.map((about) => of(bound, about));
    const [first] = found;
    if (first instanceof UsageError && found.every((f) => f instanceof UsageError)) throw first;
  }
  return (about) =>
    bounds.flatMap((bound) => {
      const found = of(bound, about);
      return found instanceof UsageError ? [] : found;
    });
}

/** A finished run, or one of several, with its plan. */
interface Finished {
  readonly name: string;
  readonly plan: Pick<AttackPlan, "spec" | "goal">;
  readonly summary: AttackSummary;
}

/** A sentence for each bound that one of several runs misses; what was done to the images its name says. */
export const missedAmong = (thresholds: (about: Bounded) => Threshold[], runs: readonly Finished[]): string[] =>
  runs.flatMap(({ name, plan, summary }) =>
    missed(thresholds(boundedBy(plan)), summary, plan.spec.task, "").map((sentence) => `${name}: ${sentence}`),
  );

/** A sentence for each bound that the adversarial images miss; shares are in percent. */
export function missed(
  thresholds: readonly Threshold[],
  { metrics }: AttackSummary,
  task: TaskName,
  when: " under attack" | "" = " under attack",
): string[] {
  const against = metrics.truth ? "truth" : "prediction";
  return thresholds.flatMap(({ flag, metric, value: bound }) => {
    const format = formatOf(tasks[task].formats, metric);
    const value = metrics[against]?.adversarial[metric];
    const unit = format.share ? 100 : 1;
    const measured = typeof value === "number" ? value * unit : undefined;
    // What is counted in the prediction alone is compared with nothing.
    const where = against === "truth" || format.better === "neither" ? "" : " against the model's own clean prediction";
    if (measured === undefined) {
      // Infinite values are null too, and miss nothing.
      if (metrics[against] && mayBeInfinite(format)) return [];
      return [
        `${metric}${where} could not be measured (nothing in the data counts for it), so ${flag} ${metric}=${bound} is not met.`,
      ];
    }
    const misses = flag === "--fail-under" ? measured < bound : measured > bound;
    const way = flag === "--fail-under" ? "below" : "above";
    return misses
      ? [`${metric}${where} is ${format.text(value as number)}${when}, ${way} the ${format.text(bound / unit)} of ${flag}.`]
      : [];
  });
}
