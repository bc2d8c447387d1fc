import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { ceil } from "../elementwise/ceil.js";
import { clip } from "../elementwise/clip.js";
import { div } from "../elementwise/div.js";
import { max } from "../elementwise/max.js";
import { mul } from "../elementwise/mul.js";
import { neg } from "../elementwise/neg.js";
import { sub } from "../elementwise/sub.js";
import { reshape } from "../layout/reshape.js";
import { transpose } from "../layout/transpose.js";
import { and } from "../logic/and.js";
import { greater } from "../logic/greater.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { less } from "../logic/less.js";
import { lessOrEqual } from "../logic/less-or-equal.js";
import { not } from "../logic/not.js";
import { or } from "../logic/or.js";
import { where } from "../logic/where.js";
import { reduceMax } from "../reduction/reduce-max.js";
import { reduceMin } from "../reduction/reduce-min.js";
import { reduceSum } from "../reduction/reduce-sum.js";

/** Samples of each cell that lie within one row of each row. */
interface NearSamples {
  /** `[R, cells, length, 4]`: whether there is such a sample, and the weight that it gives the row. */
  readonly near: Value;
  readonly weight: Value;
  /** How many samples the cells of a box have, at least 1: `[R, 1, 1, 1]`; and where the first and the last of each lie, `[R, cells, 1, 1]`. */
  readonly divisor: Value;
  readonly first: Value;
  readonly last: Value;
  /** Whether a box has any: `[R, 1, 1, 1]`. */
  readonly some: Value;
}

/**
 * Where the samples of cells lie along an axis, where how many a cell takes, `n = ⌈size / cells⌉`, is known only when the model runs. Samples of a cell lie
 * `d = size / (cells n)` apart, and d > 1/2 where there are two or more: so at most four of them lie within one row of row h, from the first with
 * `at >= h - 1` on, `s₀ = max(0, ⌈(h - 1 - at(0)) / d⌉)`, and those four are all that is built.
 *
 * @param start `[R, 1, 1]`: where each box starts, in pixels
 * @param size `[R, 1, 1]`: how long it is
 */
function nearSamples(start: Value, size: Value, cells: number, length: number): NearSamples {
  const boxes = start.shape[0]!;
  const constant = (shape: readonly number[], values: number): Value =>
    start.graph.constant(
      tensor(
        start.type,
        shape,
        Array.from({ length: values }, (_, i) => i),
      ),
    );
  const perBox = (v: Value): Value => reshape(v, [boxes, 1, 1, 1]);
  const cell = div(perBox(size), cells);
  const count = ceil(cell);
  const divisor = max(count, 1);
  // a box without samples has no distance either
  const distance = where(greater(count, 0), div(cell, divisor), 1);
  const first = add(add(perBox(start), mul(cell, constant([1, cells, 1, 1], cells))), mul(distance, 0.5));
  const row = constant([1, 1, length, 1], length);
  const sample = add(max(ceil(div(sub(sub(row, 1), first), distance)), 0), constant([1, 1, 1, 4], 4));
  const at = add(first, mul(sample, distance));
  const exists = and(less(sample, count), and(greaterOrEqual(at, -1), lessOrEqual(at, length)));
  // beside the image, within one pixel, the outermost row is read
  const offset = sub(clip(at, 0, length - 1), row);
  const near = and(exists, and(greaterOrEqual(offset, -1), less(offset, 1)));
  const hat = where(greaterOrEqual(offset, 0), sub(1, offset), add(offset, 1));
  const last = add(first, mul(distance, sub(divisor, 1)));
  return { near, weight: hat, divisor, first, last, some: greater(count, 0) };
}

/**
 * What each row counts in the mean over the samples of a cell: `mean[r, cell, h] = 1/n Σ_{j < 4} hat(at(s₀ + j) - h)`.
 *
 * @param start `[R, 1, 1]`: where each box starts, in pixels
 * @param size `[R, 1, 1]`: how long it is
 * @returns `[R, cells, length]`
 */
export function adaptiveMean(start: Value, size: Value, cells: number, length: number): Value {
  const { near, weight, divisor } = nearSamples(start, size, cells, length);
  return div(reduceSum(where(near, weight, 0), [3]), reshape(divisor, [start.shape[0]!, 1, 1]));
}

/** Larger than what numbers in a picture are. */
const beyond = 1e30;

/** Along one axis: which rows the samples of a cell read, `[R, cells, length]`, and with what weights at most and at least; and whether 0 is among what they read, `[R, cells]`. */
export interface AdaptiveExtremes {
  readonly read: Value;
  readonly most: Value;
  readonly least: Value;
  readonly zero: Value;
}

export function adaptiveExtremes(start: Value, size: Value, cells: number, length: number): AdaptiveExtremes {
  const { near, weight, first, last, some } = nearSamples(start, size, cells, length);
  const masked = where(near, weight, -1);
  const most = reduceMax(masked, [3]);
  // beside the image nothing is read, and at its border the neighbor has the weight 0
  const zero = or(not(some), or(less(first, 0), greaterOrEqual(last, length - 1)));
  return {
    read: greaterOrEqual(most, 0),
    most: max(most, 0),
    least: reduceMin(where(near, weight, beyond), [3]),
    zero: reshape(zero, [start.shape[0]!, cells]),
  };
}

/**
 * The largest of all weighted neighbors of all samples of a cell. A neighbor x > 0 is largest with its largest weight, x < 0 with its smallest, and the
 * weights of an axis do not depend on the other:
 *
 *     y = max_{h, w} A_h A_w x⁺  -  min_{h, w} B_h B_w x⁻
 *
 * with the largest weights A and the smallest B of the rows and columns read; the second term is 0 as soon as some neighbor is not below 0.
 *
 * @param x the picture of each box: `[R, C, H, W]`
 * @returns `[R, C, cells, cells]`
 */
export function largestNeighbor(x: Value, rows: AdaptiveExtremes, columns: AdaptiveExtremes): Value {
  const [r, c, height, width] = x.shape as [number, number, number, number];
  const [down, across] = [rows.most.shape[1]!, columns.most.shape[1]!];
  const inType = (e: AdaptiveExtremes, shape: readonly number[]) => ({
    read: reshape(e.read, shape),
    most: reshape(cast(e.most, x.type), shape),
    least: reshape(cast(e.least, x.type), shape),
  });
  // first along the width, [R, C, H, cells, W], then along the height, [R, C, cells, cells, H]
  const along = inType(columns, [r, 1, 1, across, width]);
  const apart = (part: Value) => reshape(part, [r, c, height, 1, width]);
  const high = reduceMax(mul(apart(max(x, 0)), along.most), [4]);
  const low = reduceMin(where(along.read, mul(apart(max(neg(x), 0)), along.least), beyond), [4]);
  const upright = inType(rows, [r, 1, down, 1, height]);
  const turned = (part: Value) => reshape(transpose(part, [0, 1, 3, 2]), [r, c, 1, across, height]);
  const highest = reduceMax(mul(turned(high), upright.most), [4]);
  const lowest = reduceMin(where(upright.read, mul(turned(low), upright.least), beyond), [4]);
  const zero = or(reshape(rows.zero, [r, 1, down, 1]), reshape(columns.zero, [r, 1, 1, across]));
  return sub(highest, where(zero, 0, lowest));
}
