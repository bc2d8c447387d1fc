import type { Value } from "../../engine/graph/graph.js";
import { pad, slice } from "../../engine/operators/index.js";
import { type Interpolation, type ResizedAxis, resizeMatrix } from "../../engine/operators/resampling/resize-matrix.js";
import { type FloatType, tensor } from "../../engine/tensor/tensor.js";

/**
 * An interpolation along one axis as one set of weights that moves along with the position, the border repeated `margin` times at both ends. Up by a
 * factor s: `y[i] = Σ_j taps[i + begin - s j] x[j]`; down by r: `y[i] = Σ_j taps[j + begin - r i] x[j]`.
 */
export interface Stencil {
  readonly taps: readonly number[];
  readonly begin: number;
  readonly margin: number;
}

/** Elements to each side of which an interpolation may read: four for a cubic kernel that is widened against aliasing would be more, and is not found. */
const reach = 4;

/**
 * The stencil of an axis, read off its own matrix; undefined where there is none: the factor is not whole, or the weights differ from place to
 * place.
 *
 * @param factor pixels of the fine side for each of the coarse one.
 */
export function stencilOf(axis: ResizedAxis, factor: number, how: Interpolation): Stencil | undefined {
  const up = axis.output >= axis.input;
  if (!Number.isInteger(factor)) return undefined;
  const coarse = 2 * reach + 1;
  const fine = how.coordinates === "align_corners" ? (coarse - 1) * factor + 1 : coarse * factor;
  const longer = { ...axis, ...(up ? { input: coarse, output: fine } : { input: fine, output: coarse }) };
  const matrix = resizeMatrix(longer, how);
  // What the middle of the coarse side has to do with each place of the fine side.
  const weights = Array.from({ length: fine }, (_, i) => matrix[up ? i * coarse + reach : reach * fine + i]!);
  const first = weights.findIndex((w) => w !== 0);
  const taps = weights.slice(first, weights.findLastIndex((w) => w !== 0) + 1);
  const begin = reach * factor - first;
  const end = taps.length - 1 - begin;
  const margin = up ? Math.max(0, Math.floor(end / factor), Math.floor((factor - 1 + begin) / factor)) : Math.max(0, begin, end);
  const stencil = { taps, begin, margin };
  return agrees(stencil, factor, axis, how) ? stencil : undefined;
}

/** Whether the stencil, with the border repeated, is the axis' own matrix. */
function agrees({ taps, begin }: Stencil, factor: number, axis: ResizedAxis, how: Interpolation): boolean {
  const { input, output } = axis;
  const wanted = resizeMatrix(axis, how);
  const made = new Float64Array(output * input);
  const up = output >= input;
  for (let i = 0; i < output; i++)
    for (let k = 0; k < taps.length; k++) {
      // up: i + begin - s j = k
      const j = up ? (i + begin - k) / factor : k - begin + factor * i;
      if (Number.isInteger(j)) made[i * input + Math.min(Math.max(j, 0), input - 1)]! += taps[k]!;
    }
  return wanted.every((w, at) => Math.abs(w - made[at]!) < 1e-5);
}

/** The map with its border repeated, and so many rows and columns more behind it. */
export function bordered(
  x: Value,
  [rows, columns]: readonly [Stencil, Stencil],
  [below = 0, right = 0]: readonly number[] = [],
): Value {
  const before = [0, 0, rows.margin, columns.margin];
  const after = [0, 0, rows.margin + below, columns.margin + right];
  return [...before, ...after].some((m) => m > 0) ? pad(x, [...before, ...after], "edge") : x;
}

/** Rows and columns of a map from `begin`, as many as `size` says; written as how many are left out at both ends, which holds for maps of any size. */
export function part(x: Value, begin: readonly [number, number], size: readonly [number, number]): Value {
  const behind = begin.map((b, axis) => x.shape[axis + 2]! - b - size[axis]!);
  if ([...begin, ...behind].every((left) => left === 0)) return x;
  const ends = behind.map((left) => (left === 0 ? Number.POSITIVE_INFINITY : -left));
  return slice(x, begin, ends, { axes: [2, 3] });
}

/** The same separable kernel for every channel, [C, 1, rows, columns]. */
export function separable(channels: number, [rows, columns]: readonly [Stencil, Stencil], type: FloatType) {
  const plane = rows.taps.flatMap((a) => columns.taps.map((b) => a * b));
  const values = Array.from({ length: channels * plane.length }, (_, i) => plane[i % plane.length]!);
  return tensor(type, [channels, 1, rows.taps.length, columns.taps.length], values);
}
