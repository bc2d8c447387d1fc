import type { Value } from "../../graph/graph.js";
import { sizeOf } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { transpose } from "../layout/transpose.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import type { GridSampleOptions } from "./grid-sample.js";
import { tapsAt } from "./grid-sample-gradient.js";
import { sampleTaps } from "./sample-taps.js";

/**
 * GridSample over any number of spatial axes, which came with opset 20: `y[p] = Σ_t weight_t(p) x[place_t(p)]`, with one to four taps along
 * each axis. The last axis of the grid names the places in the order (x, y, z): the last spatial axis first.
 *
 * @param x `[N, C, d1, ..., dr]`
 * @param grid `[N, o1, ..., or, r]`
 * @returns `[N, C, o1, ..., or]`
 */
export function sampleVolume(x: Value, grid: Value, { mode, padding, coordinates }: Required<GridSampleOptions>): Value {
  const [n, c] = [x.shape[0]!, x.shape[1]!];
  const spatial = x.shape.slice(2);
  const output = grid.shape.slice(1, -1);
  const positions = sizeOf(output);
  // whole numbers beyond 2048 do not exist in float16
  const places = grid.type === "float64" ? grid : cast(grid, "float32");
  const axes = spatial.map((size, axis) => {
    const entry = spatial.length - 1 - axis;
    const along = reshape(slice(places, [entry], [entry + 1], { axes: [grid.shape.length - 1] }), [n, 1, positions]);
    const scale = (coordinates === "align_corners" ? size - 1 : size) / 2;
    return tapsAt(add(mul(along, scale), (size - 1) / 2), size, mode, padding, coordinates);
  });
  const { rows, weight } = sampleTaps(x, axes);
  return reshape(transpose(reduceSum(mul(rows, weight), [1]), [0, 2, 1]), [n, c, ...output]);
}
