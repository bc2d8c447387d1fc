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
 * place (`align_corners`).
 */
export function stencilOf(axis: ResizedAxis, how: Interpolation): Stencil | undefined {
  const up = axis.output >= axis.input;
  const factor = up ? axis.output / axis.input : axis.input / axis.output;
  if (!Number.isInteger(factor)) return undefined;
  const [coarse, fine] = [2 * reach + 1, (2 * reach + 1) * factor];
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

/** The map with its border repeated; undoing it on a map that is `factor` times as large. */
export function bordered(x: Value, [rows, columns]: readonly [Stencil, Stencil]): Value {
  const margins = [0, 0, rows.margin, columns.margin];
  return margins.some((m) => m > 0) ? pad(x, [...margins, ...margins], "edge") : x;
}

/** Rows and columns of a map from `begin`, as many as `size` says. */
export function part(x: Value, begin: readonly [number, number], size: readonly [number, number]): Value {
  const whole = begin.every((b, axis) => b === 0 && x.shape[axis + 2] === size[axis]);
  return whole ? x : slice(x, begin, [begin[0] + size[0], begin[1] + size[1]], { axes: [2, 3] });
}

/** The same separable kernel for every channel, [C, 1, rows, columns]. */
export function separable(channels: number, [rows, columns]: readonly [Stencil, Stencil], type: FloatType) {
  const plane = rows.taps.flatMap((a) => columns.taps.map((b) => a * b));
  const values = Array.from({ length: channels * plane.length }, (_, i) => plane[i % plane.length]!);
  return tensor(type, [channels, 1, rows.taps.length, columns.taps.length], values);
}
