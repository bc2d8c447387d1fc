import type { Value } from "../../graph/graph.js";
import { defineComposite, int, ints } from "../../graph/operator.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { transpose } from "../layout/transpose.js";
import { matMul } from "../linear/mat-mul.js";
import { reduceSum } from "../reduction/reduce-sum.js";
import { tapsAt } from "../resampling/grid-sample-gradient.js";
import { sampleTaps } from "../resampling/sample-taps.js";
import { windows } from "../window.js";

export interface DeformConvOptions {
  /** One number per output channel. */
  readonly bias?: Value;
  /** What each tap is multiplied by, `[N, offsetGroup · K, ...output]`; default 1. */
  readonly mask?: Value;
  readonly strides?: readonly number[];
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly group?: number;
  /** So many groups of channels have offsets (and masks) of their own; default 1. */
  readonly offsetGroup?: number;
}

/**
 * Convolution whose taps are moved, in each place, by offsets in pixels (Dai et al. 2017, arXiv 1703.06211; with mask Zhu et al. 2018, arXiv
 * 1811.11168). Between pixels it interpolates linearly, outside the image it reads zeros.
 *
 * @param x `[N, C, ...spatial]`
 * @param w `[M, C / group, ...kernel]` with K = product of the kernel's sides
 * @param offset `[N, offsetGroup · K · axes, ...output]`: for each tap its shift along each axis, first axis first
 * @example const y = deformConv(x, w, offset, { pads: [1, 1, 1, 1], mask });
 */
export const deformConv = (
  x: Value,
  w: Value,
  offset: Value,
  { bias, mask, offsetGroup, ...attributes }: DeformConvOptions = {},
): Value => emit(DeformConv, [x, w, offset, bias, mask], { ...attributes, offset_group: offsetGroup });

export const DeformConv = defineComposite({
  name: "DeformConv",
  inputs: ["X", "W", "offset", "B?", "mask?"],
  attributes: {
    dilations: ints(),
    group: int(1),
    kernel_shape: ints(),
    offset_group: int(1),
    pads: ints(),
    strides: ints(),
  },
  // y[m, o] = B[m] + Σ_{c, k} W[m, c, k] mask[k, o] x[c, o·stride + k·dilation - pad + offset[k, o]]
  decompose: ({ inputs: [x, w, offset, bias, mask], attributes, fail }) => {
    const [n, c] = [x.shape[0]!, x.shape[1]!];
    const spatial = x.shape.slice(2);
    const kernel = w.shape.slice(2);
    const rank = spatial.length;
    const { group, offset_group: offsetGroup } = attributes;
    if (rank < 1 || kernel.length !== rank) fail("X must be [N, C, ...spatial] and W [M, C / group, ...kernel]");
    const axes = windows(spatial, kernel, { ...attributes, auto_pad: "NOTSET" }, fail);
    const output = axes.map((a) => a.output);
    const [taps, positions, outputs] = [sizeOf(kernel), sizeOf(output), w.shape[0]!];
    if (c % group !== 0 || outputs % group !== 0 || w.shape[1] !== c / group)
      fail(`W does not fit ${c} channels in ${group} groups`);
    if (c % offsetGroup !== 0) fail(`${c} channels cannot be cut into ${offsetGroup} offset groups`);
    const expected = (name: string, v: Value | undefined, channels: number): void => {
      const shape = [n, channels, ...output];
      if (v && (v.shape.length !== shape.length || v.shape.some((d, i) => d !== shape[i])))
        fail(`${name} must be [${shape.join(", ")}]`);
    };
    expected("offset", offset, offsetGroup * taps * rank);
    expected("mask", mask, offsetGroup * taps);

    // Each offset group is a picture of its own: [N·offsetGroup, ...].
    const pictures = n * offsetGroup;
    const shifts = reshape(cast(offset, offset.type === "float64" ? "float64" : "float32"), [pictures, taps, rank, ...output]);
    const places = axes.map((axis, a) => {
      const constant = (shape: readonly number[], values: readonly number[]) =>
        x.graph.constant(tensor(shifts.type, shape, values));
      const start = constant(
        [1, taps, ...output.map(() => 1)],
        Array.from({ length: taps }, (_, k) => (Math.floor(k / sizeOf(kernel.slice(a + 1))) % axis.kernel) * axis.dilation),
      );
      const along = constant(
        [1, 1, ...output.map((d, i) => (i === a ? d : 1))],
        Array.from({ length: axis.output }, (_, o) => o * axis.stride - axis.begin),
      );
      const shift = reshape(slice(shifts, [a], [a + 1], { axes: [2] }), [pictures, taps, ...output]);
      const place = reshape(add(add(shift, start), along), [pictures, 1, taps * positions]);
      return tapsAt(place, axis.input, "bilinear", "zeros", "half_pixel");
    });
    const { rows, weight } = sampleTaps(reshape(x, [pictures, c / offsetGroup, ...spatial]), places);
    const read = reduceSum(mul(rows, weight), [1]);
    const masked = mask ? mul(read, reshape(mask, [pictures, taps * positions, 1])) : read;
    // [N·offsetGroup, K, P, C / offsetGroup] to [N, group, C / group · K, P]
    const columns = transpose(reshape(masked, [pictures, taps, positions, c / offsetGroup]), [0, 3, 1, 2]);
    const product = matMul(
      reshape(w, [1, group, outputs / group, (c / group) * taps]),
      reshape(columns, [n, group, (c / group) * taps, positions]),
    );
    const y = reshape(product, [n, outputs, ...output]);
    return [bias ? add(y, reshape(bias, [1, outputs, ...output.map(() => 1)])) : y];
  },
});
