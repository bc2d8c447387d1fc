/**
 * A measure of predictions against the truth, gathered over a data set.
 *
 * `update` measures one sample, adds it and gives its own values; such a sample is plain data that can be stored and added again, which
 * is how a run resumes. `merge` joins what several workers gathered. Results do not depend, to the last bit, on the order of samples or
 * on how they were spread over workers.
 */
export interface Metric<Inputs extends readonly unknown[], Sample, Result> {
  update(...inputs: Inputs): Sample;
  add(sample: Sample): void;
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

/** @throws MetricError when a length is not the expected one. */
export function checkLengths(what: string, expected: number, lengths: Readonly<Record<string, number | undefined>>): void {
  for (const [name, length] of Object.entries(lengths)) {
    if (length !== undefined && length !== expected) {
      throw new MetricError(`The ${what} metric got ${length} values as ${name} where ${expected} belong.`);
    }
  }
}
