import type { Value } from "../../graph/graph.js";
import { defineOperator, ints, required } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import type { Shape } from "../../tensor/tensor.js";
import { sizeOf } from "../../tensor/tensor.js";
import { constantNumbers, emit, intsConstant } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { reshape } from "../layout/reshape.js";
import { checkedWindow } from "../window.js";

/**
 * Puts each element of `x` where `indices` (positions in the flattened output, as MaxPool yields them) say, zeros elsewhere.
 *
 * `options.outputShape` is by default the smallest input that pooling would have brought to the shape of `x`.
 */
export const maxUnpool = (
  x: Value,
  indices: Value,
  kernel: readonly number[],
  options: { readonly strides?: readonly number[]; readonly pads?: readonly number[]; readonly outputShape?: Shape } = {},
): Value =>
  emit(MaxUnpool, [x, indices, options.outputShape && intsConstant(x.graph, options.outputShape)], {
    kernel_shape: kernel,
    strides: options.strides,
    pads: options.pads,
  });

export const MaxUnpool = defineOperator({
  name: "MaxUnpool",
  inputs: ["X", "I", "output_shape?"],
  outputs: ["output"],
  attributes: { kernel_shape: required(ints()), pads: ints(), strides: ints() },
  infer: ({ inputs: [x, indices, output], attributes, fail }) => {
    if (x.shape.length < 3) fail("X needs a batch axis, a channel axis and at least one spatial axis");
    if (indices.type !== "int64" || sizeOf(indices.shape) !== sizeOf(x.shape))
      fail("I must hold one int64 position per element of X");
    const rank = x.shape.length - 2;
    const { strides, pads } = checkedWindow(rank, attributes.kernel_shape, { auto_pad: "NOTSET", ...attributes }, fail);
    const smallest = x.shape.map((d, axis) =>
      axis < 2 ? d : (d - 1) * strides[axis - 2]! + attributes.kernel_shape[axis - 2]! - pads[axis - 2]! - pads[axis - 2 + rank]!,
    );
    const shape = output ? constantNumbers(output, "output_shape", fail) : smallest;
    if (shape.length !== rank + 2) fail(`output_shape must have ${rank + 2} entries`);
    return [{ type: x.type, shape }];
  },
  range: ofAll(0),
  // each element reads the cotangent of the place that it was put to
  gradient: ({ inputs: [x, indices] }, [g]) => {
    const flat = (v: Value) => reshape(v, [sizeOf(v.shape)]);
    return [reshape(gather(flat(g), flat(indices), 0), x.shape), undefined, undefined];
  },
});
