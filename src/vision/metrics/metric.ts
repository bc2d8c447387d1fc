/**
 * A measure of predictions against the truth, gathered over a data set.
 *
 * `update` measures one sample, counts it and gives its own values; such a sample is plain data that can be stored, and `restore` counts a stored
 * one, which is how a run resumes. `merge` joins what several workers gathered. Results do not depend, to the last bit, on the order of samples or
 * on how they were spread over workers.
 */
export interface Metric<Inputs extends readonly unknown[], Sample, Result> {
  update(...inputs: Inputs): Sample;
  /** Counts a sample that `update` gave; predictions are refused. */
  restore(sample: Sample): void;
  merge(other: Metric<Inputs, Sample, Result>): void;
  /** Over all samples so far; NaN where nothing was counted. */
  result(): Result;
}

/** Predictions, targets or settings that a metric cannot use. */
export class MetricError extends Error {
  override readonly name = "MetricError";
}

/** Where the truth is known, one value per pixel: at least 0.5 (or true) counts. Left out, every pixel counts. */
export type ValidMask = ArrayLike<number>;

/** Numbers whose sum is the same in whatever order they came: floating-point addition is not associative, so they are sorted first. */
export class OrderFreeSum {
  readonly #values: number[] = [];

  add(value: number): void {
    this.#values.push(checkNumber(value));
  }

  merge(other: OrderFreeSum): void {
    for (const v of other.#values) this.#values.push(v);
  }

  get count(): number {
    return this.#values.length;
  }

  sum(): number {
    return Float64Array.from(this.#values)
      .sort()
      .reduce((total, v) => total + v, 0);
  }

  mean(): number {
    return this.sum() / this.count;
  }
}

/**
 * Guards values that may come from a file: JSON turns NaN and infinities into null, which arithmetic would take for 0.
 *
 * @throws MetricError when the value is not a number.
 */
export function checkNumber(value: number): number {
  if (typeof value !== "number") throw new MetricError(`A stored sample holds ${String(value)} where a number belongs.`);
  return value;
}

/**
 * Guards `restore` against what belongs to `update`, and against damaged files.
 *
 * @throws MetricError unless every field is a number (or null, which JSON makes of NaN where nothing was counted), or a list where that is said.
 */
export function checkStored(sample: unknown, fields: Readonly<Record<string, "number" | "list">>): void {
  const record = typeof sample === "object" && sample !== null ? (sample as Readonly<Record<string, unknown>>) : {};
  const holds = (value: unknown, kind: "number" | "list") =>
    kind === "list" ? Array.isArray(value) : typeof value === "number" || value === null;
  const missing = Object.entries(fields).find(([name, kind]) => !holds(record[name], kind))?.[0];
  if (missing !== undefined)
    throw new MetricError(
      `restore takes a sample that update gave, and this has no ${missing}; to measure a prediction against its target call update(prediction, target).`,
    );
}

/**
 * Guards `update` against tensors and stored samples.
 *
 * @throws MetricError unless the value is an array of numbers.
 */
export function checkArray(name: string, value: unknown): void {
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) return;
  const tensor = typeof value === "object" && value !== null && "data" in value;
  throw new MetricError(
    `update takes plain arrays, and the ${name} is ${tensor ? "a tensor: give its data" : value === null ? "null" : `of type ${typeof value}; a stored sample belongs to restore`}.`,
  );
}

/** @throws MetricError when a length is not the expected one. */
export function checkLengths(what: string, expected: number, lengths: Readonly<Record<string, number | undefined>>): void {
  for (const [name, length] of Object.entries(lengths)) {
    if (length !== undefined && length !== expected) {
      throw new MetricError(`The ${what} metric got ${length} values as ${name} where ${expected} belong.`);
    }
  }
}
