import { formatOf, mayBeInfinite } from "../../vision/metrics/measure.js";
import { type TaskName, tasks } from "../../vision/tasks/index.js";
import { UsageError } from "../cli/errors.js";
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

/** Letters and digits alone, so that miou, mIoU and m-IoU are one. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/**
 * Finds the metrics that bounds name, before any work is done.
 *
 * @throws UsageError for a metric that the task has not, or one that a bound of this kind says nothing about.
 */
export function thresholdsOf(bounds: readonly Bound[], task: TaskName): Threshold[] {
  const { formats } = tasks[task];
  // Metrics of single classes are named by the beginning of their names alone.
  const names = Object.keys(formats).filter((name) => formats[name]!.about !== undefined);
  return bounds.map((bound) => {
    const wanted = plain(bound.name);
    const like = names.filter((name) => plain(name).startsWith(wanted));
    const metric = names.find((name) => plain(name) === wanted) ?? (like.length === 1 ? like[0] : undefined);
    if (metric === undefined)
      throw new UsageError(`${bound.flag} ${bound.name}=${bound.value}: ${task} has the metrics ${names.join(", ")}.`);
    const isError = formats[metric]!.better === "lower";
    if (isError !== (bound.flag === "--fail-over"))
      throw new UsageError(
        `${bound.flag} ${bound.name}: ${metric} is better the ${isError ? "lower" : "higher"} it is; say ${isError ? "--fail-over" : "--fail-under"} ${bound.name}=${bound.value}.`,
      );
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

/** A sentence for each bound that the adversarial images miss; shares are in percent. */
export function missed(thresholds: readonly Threshold[], { metrics }: AttackSummary, task: TaskName): string[] {
  const against = metrics.truth ? "truth" : "prediction";
  return thresholds.flatMap(({ flag, metric, value: bound }) => {
    const format = formatOf(tasks[task].formats, metric);
    const value = metrics[against]?.adversarial[metric];
    const unit = format.share ? 100 : 1;
    const measured = typeof value === "number" ? value * unit : undefined;
    const where = against === "truth" ? "" : " against the model's own clean prediction";
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
      ? [`${metric}${where} is ${format.text(value as number)} under attack, ${way} the ${format.text(bound / unit)} of ${flag}.`]
      : [];
  });
}
