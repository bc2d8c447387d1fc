import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { ceil } from "../elementwise/ceil.js";
import { clip } from "../elementwise/clip.js";
import { div } from "../elementwise/div.js";
import { max } from "../elementwise/max.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { reshape } from "../layout/reshape.js";
import { and } from "../logic/and.js";
import { greater } from "../logic/greater.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { less } from "../logic/less.js";
import { lessOrEqual } from "../logic/less-or-equal.js";
import { where } from "../logic/where.js";
import { reduceSum } from "../reduction/reduce-sum.js";

/**
 * What each row counts in the mean over the samples of a cell, where how many samples a cell takes, `n = ⌈size / cells⌉`, is known only when the
 * model runs. Samples of a cell lie `d = size / (cells n)` apart, and d > 1/2 where there are two or more: so at most four of them lie within one row
 * of row h, from the first with `at >= h - 1` on, and those four are all that is built:
 *
 *     mean[r, cell, h] = 1/n Σ_{j < 4} hat(at(s₀ + j) - h),   s₀ = max(0, ⌈(h - 1 - at(0)) / d⌉)
 *
 * @param start `[R, 1, 1]`: where each box starts, in pixels
 * @param size `[R, 1, 1]`: how long it is
 * @returns `[R, cells, length]`
 */
export function adaptiveMean(start: Value, size: Value, cells: number, length: number): Value {
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
  return div(reduceSum(where(near, hat, 0), [3]), reshape(divisor, [boxes, 1, 1]));
}
