import type { Tensor } from "../../engine/tensor/tensor.js";

/** The metrics of a task: per sample as plain data for records.jsonl, over all samples as named numbers. */
export interface Measure {
  /** Metric that stands for the rest in tables: its name, whether more is better, and its value for a perfect prediction. */
  readonly headline: { readonly name: string; readonly better: "higher" | "lower"; readonly perfect: number };
  /** @param prediction one sample's canonical prediction, without a batch axis. @param target one sample's. */
  readonly sample: (prediction: Tensor, target: Tensor, valid: Tensor | undefined) => SampleScores;
  readonly summarize: (samples: readonly SampleScores[]) => Readonly<Record<string, number>>;
  /**
   * Where the headline of many samples is no mean of theirs: of several results for each sample (`choices[c][sample]`), which to take so that it is worst
   * over all samples together. Absent where the worst of each sample is.
   */
  readonly worst?: (choices: readonly (readonly SampleScores[])[]) => readonly number[];
}

/** What one sample contributes; `value` is its headline number. */
export interface SampleScores {
  readonly value: number | null;
  readonly detail: unknown;
}

/** How the values of a metric are written. */
export interface MetricFormat {
  readonly text: (value: number) => string;
  /** What is written where there is no value, or one that JSON does not know. */
  readonly nothing: string;
  /** Whether it is a share of something, from 0 to 1. */
  readonly share: boolean;
  /** What the metric is, for readers who do not know its name. */
  readonly about?: string;
  /** Which way it gets better; absent: the higher the better. "neither": it says how much there is, and too much and too little are wrong. */
  readonly better?: "lower" | "neither";
}

/** A format with what the metric is. */
export const named = (format: MetricFormat, about: string): MetricFormat => ({ ...format, about });

/** A format of an error: the lower the better. */
export const anError = (format: MetricFormat, about: string): MetricFormat => ({ ...format, about, better: "lower" });

/** A format of how much there is of something, which is neither better nor worse the more it is. */
export const anAmount = (format: MetricFormat, about: string): MetricFormat => ({ ...format, about, better: "neither" });

/** A share, in per cent. */
export const inPercent: MetricFormat = { text: (v) => `${(100 * v).toFixed(1)}\u00a0%`, nothing: "–", share: true };

/** A number with its unit. */
export const inUnit = (digits: number, unit = "", nothing = "–"): MetricFormat => ({
  text: (v) => `${v.toFixed(digits)}${unit && `\u00a0${unit}`}`,
  nothing,
  share: false,
});

/** Whether a value that JSON does not know is an infinite one (the PSNR of equal pictures), not the mean of nothing. */
export const mayBeInfinite = ({ nothing }: MetricFormat): boolean => nothing === "∞";

/** The format of a metric that is listed by its name or, for many of one kind ("IoU class 3"), by the beginning of it. */
export function formatOf(formats: Readonly<Record<string, MetricFormat>>, name: string): MetricFormat {
  const like = Object.keys(formats).find((beginning) => name.startsWith(`${beginning} `));
  return formats[name] ?? (like === undefined ? inUnit(2) : formats[like]!);
}

/** Puts the stored scores of samples into a fresh metric. */
export function collected<D, M extends { restore(sample: D): void }>(metric: M, samples: readonly SampleScores[]): M {
  for (const { detail } of samples) metric.restore(detail as D);
  return metric;
}

/** JSON has no infinity or NaN. */
export const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Which of several results to take of each sample, so that the headline over all is worst. */
export function worstChoice(measure: Measure, choices: readonly (readonly SampleScores[])[]): readonly number[] {
  if (measure.worst) return measure.worst(choices);
  const sign = measure.headline.better === "higher" ? 1 : -1;
  // What has no number is no worse than anything.
  const of = (choice: number, sample: number) => sign * (choices[choice]![sample]!.value ?? sign * Number.POSITIVE_INFINITY);
  return choices[0]!.map((_, sample) => choices.reduce((best, __, c) => (of(c, sample) < of(best, sample) ? c : best), 0));
}
