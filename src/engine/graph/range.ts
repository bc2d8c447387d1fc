import type { Value } from "./graph.js";

/**
 * What is known of all elements of a value, provided that the inputs of the graph are finite and that no number is too large for its type:
 * they are numbers from `low` to `high` (both may be infinite, where there is no bound; no element is). Undefined in place of a range: an
 * element may be infinite or NaN.
 *
 * Ranges tell rewrites where a product with a mask of zeros is the same as Where.
 */
export interface Range {
  readonly low: number;
  readonly high: number;
  /** A value none of whose elements is larger than the one that it is broadcast to: `max(x)` is above `x`. */
  readonly above?: Value;
  /** Values none of whose elements is smaller: `min(a, b)` is below both. */
  readonly below?: readonly (Value | undefined)[];
}

/** The range of a node's outputs from those of its inputs: a fact on the operator's definition. */
export type RangeRule = (context: RangeContext) => Range | undefined;

export interface RangeContext {
  readonly inputs: readonly (Value | undefined)[];
  /** The range of each input; undefined also for one that is left out. */
  readonly ranges: readonly (Range | undefined)[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly output: Value;
}

const everything: Range = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Elements of the first input, moved or picked, or something between them. */
export const ofFirst: RangeRule = ({ ranges: [x] }) => x && { low: x.low, high: x.high };

/** The very elements of the first input, each in its place. */
export const asFirst: RangeRule = ({ ranges: [x] }) => x;

/** Within bounds of its own, where all inputs are finite. */
export const within =
  (low: number, high: number): RangeRule =>
  ({ inputs, ranges }) =>
    inputs.every((v, i) => v === undefined || ranges[i]) ? { low, high } : undefined;

/** Finite where all inputs are. */
export const finite: RangeRule = within(everything.low, everything.high);

/** From 0 on, where all inputs are finite. */
export const notNegative: RangeRule = within(0, everything.high);

/** Elements of all floating-point inputs; with `and`, further numbers. */
export const ofAll =
  (...and: readonly number[]): RangeRule =>
  ({ inputs, ranges }) => {
    const present = inputs.flatMap((v, i) => (v && v.type !== "bool" && v.type !== "int64" ? [ranges[i]] : []));
    if (!present.every((r) => r !== undefined)) return undefined;
    return { low: Math.min(...present.map((r) => r.low), ...and), high: Math.max(...present.map((r) => r.high), ...and) };
  };

/** A function that grows with its argument, defined from `from` on and finite up to `to`. */
export const growing =
  (f: (x: number) => number, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): RangeRule =>
  ({ ranges: [x] }) =>
    x && x.low >= from && x.high <= to ? { low: f(x.low), high: f(x.high) } : undefined;

export const sum = (a: Range, b: Range): Range => ({ low: a.low + b.low, high: a.high + b.high });
export const negative = (a: Range): Range => ({ low: -a.high, high: -a.low });

/** Infinite bounds stand for large numbers, so 0 times one is 0. */
export function product(a: Range, b: Range): Range {
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high].map((c) => (Number.isNaN(c) ? 0 : c));
  return { low: Math.min(...corners), high: Math.max(...corners) };
}

/** `1 / a`, where 0 is outside by more than the smallest normal number. */
export function inverse(a: Range): Range | undefined {
  const smallest = 2 ** -126;
  return a.low >= smallest || a.high <= -smallest ? { low: 1 / a.high, high: 1 / a.low } : undefined;
}
