import type { Value } from "../../graph/graph.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { gather } from "../indexing/gather.js";
import { reshape } from "../layout/reshape.js";
import { transpose } from "../layout/transpose.js";
import type { Taps } from "./grid-sample-gradient.js";

/**
 * What a separable kernel reads around P places of a picture or volume: `rows[n, t, p, c]` are the elements, `weight[n, t, p]` the product of
 * the weights along the axes, and their product summed over t is the interpolated value.
 *
 * @param x `[N, C, ...spatial]`
 * @param axes taps along each spatial axis, `[N, T_axis, P]`
 * @returns `rows` `[N, T, P, C]` and `weight` `[N, T, P, 1]`, with T the product of the T_axis
 */
export function sampleTaps(x: Value, axes: readonly Taps[]): { readonly rows: Value; readonly weight: Value } {
  const [n, c] = [x.shape[0]!, x.shape[1]!];
  const spatial = x.shape.slice(2);
  const size = sizeOf(spatial);
  const positions = axes[0]!.weight.shape[2]!;
  const whole = (v: Value): Value => cast(v, "int64");
  const joined = axes.slice(1).reduce(
    ({ index, weight }, axis, i) => {
      const [left, right] = [index.shape[1]!, axis.index.shape[1]!];
      const outer = (a: Value, b: Value, join: (a: Value, b: Value) => Value): Value =>
        reshape(join(reshape(a, [n, left, 1, positions]), reshape(b, [n, 1, right, positions])), [n, left * right, positions]);
      return {
        index: outer(mul(index, spatial[i + 1]!), whole(axis.index), add),
        weight: outer(weight, axis.weight, mul),
      };
    },
    { index: whole(axes[0]!.index), weight: axes[0]!.weight },
  );
  // Pictures lie one behind the other, so that one Gather of rows reads them all.
  const first = Array.from({ length: n }, (_, i) => i * size);
  const flat = n === 1 ? joined.index : add(joined.index, x.graph.constant(tensor("int64", [n, 1, 1], first)));
  const pixels = reshape(transpose(reshape(x, [n, c, size]), [0, 2, 1]), [n * size, c]);
  const taps = joined.index.shape[1]!;
  return {
    rows: reshape(gather(pixels, reshape(flat, [n * taps * positions]), 0), [n, taps, positions, c]),
    weight: cast(reshape(joined.weight, [n, taps, positions, 1]), x.type),
  };
}
