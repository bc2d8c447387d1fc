import { corruptions as catalogue, commonCorruptions } from "../../vision/corruptions/catalogue.js";
import { formatOf } from "../../vision/metrics/measure.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Group } from "./groups.js";
import { classesOf } from "./runs.js";

/** What a model comes to over corruptions. Absent: not defined for what was run; null: a number that it needs is infinite or missing. */
export interface CorruptionErrors {
  /** Mean over the kinds of the mean over their severities, of the group's metric. */
  readonly mean: number | null;
  /** The worst kind and severity (SemSegBench's GAM), of the group's metric. */
  readonly worst: { readonly kind: string; readonly severity: number; readonly value: number } | null;
  /**
   * Mean corruption error without a normalization: 1 minus the mean over kinds and all five severities of a share. Absent where a kind has not all five, or
   * where the metric is no share of what is right.
   */
  readonly error?: number | undefined;
  /** ImageNet-C's mCE: over its fifteen kinds and five severities, each kind divided by AlexNet's error. */
  readonly normalized?: number | undefined;
  /** How many kinds and severities, of how many that any model of the group was put under. */
  readonly over: number;
  readonly of: number;
}

/** All severities that ImageNet-C's means are over. */
const severities = 5;

/**
 * Top-1 errors of AlexNet on ImageNet-C, each the mean over the five severities: what mCE divides by.
 *
 * Source: Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, table of corruption errors, with
 * the digits of the paper's repository (github.com/hendrycks/robustness).
 */
export const alexNetErrors: Readonly<Record<string, number>> = {
  gaussian_noise: 0.886428,
  shot_noise: 0.894468,
  impulse_noise: 0.92264,
  defocus_blur: 0.81988,
  glass_blur: 0.826268,
  motion_blur: 0.785948,
  zoom_blur: 0.79836,
  snow: 0.866816,
  frost: 0.826572,
  fog: 0.819324,
  brightness: 0.564592,
  contrast: 0.853204,
  elastic_transform: 0.646056,
  pixelate: 0.71784,
  jpeg_compression: 0.6065,
};

const order = Object.keys(catalogue);
/** The place of a kind in ImageNet-C's tables; those of nobody's catalogue come last. */
export const place = (kind: string): number => (order.includes(kind) ? order.indexOf(kind) : order.length);

/**
 * @param all kinds and severities of the group. @param values those of one model.
 * @example corruptionErrors(group, [{ kind: "fog", severity: 3 }], [{ kind: "fog", severity: 3, value: 0.4 }]).mean // 0.4
 */
export function corruptionErrors(
  { metric, task, rows }: Pick<Group, "metric" | "task" | "rows">,
  all: readonly { readonly kind: string; readonly severity: number }[],
  values: readonly { readonly kind: string; readonly severity: number; readonly value: number | null }[],
): CorruptionErrors {
  const finite = values.flatMap(({ kind, severity, value }) => (value === null ? [] : [{ kind, severity, value }]));
  const sign = metric.better === "higher" ? 1 : -1;
  const [worst] = finite.toSorted((a, b) => sign * (a.value - b.value));
  const whole = { worst: worst ?? null, over: finite.length, of: all.length };
  if (finite.length < all.length || all.length === 0) return { mean: null, ...whole };
  const kinds = new Map<string, number[]>();
  for (const { kind, value } of finite) kinds.set(kind, [...(kinds.get(kind) ?? []), value]);
  const means = new Map([...kinds].map(([kind, of]) => [kind, of.reduce((a, b) => a + b) / of.length]));
  const mean = average([...means.values()]);
  const { share } = formatOf(tasks[task].formats, metric.name);
  const complete = [...kinds.values()].every((of) => of.length === severities);
  if (!complete || !share || metric.better !== "higher") return { mean, ...whole };
  const common = commonCorruptions.every((kind) => means.has(kind));
  return {
    mean,
    ...whole,
    error: 1 - mean,
    ...(common &&
      isImageNets(task, rows) && {
        normalized: average(commonCorruptions.map((kind) => (1 - means.get(kind)!) / alexNetErrors[kind]!)),
      }),
  };
}

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Whether AlexNet's errors are of the same task: one of a thousand classes for each image of ImageNet's validation set, of which there are 50 000, against
 * the truth.
 */
const isImageNets = (task: Group["task"], rows: Group["rows"]): boolean =>
  tasks[task].kind === "classes" &&
  tasks[task].extent === "image" &&
  rows.every(({ against, plan: { data } }) => against === "truth" && data.length === 50_000) &&
  classesOf(rows[0]!) === 1000;
