import type { Value } from "../../graph/graph.js";
import { defineOperator, ints } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { constantNumbers, intsConstant } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { pad } from "./pad.js";
import { reshape } from "./reshape.js";

export const Col2Im = defineOperator({
  name: "Col2Im",
  inputs: ["input", "image_shape", "block_shape"],
  outputs: ["output"],
  attributes: { dilations: ints(), pads: ints(), strides: ints() },
  infer: (context) => {
    const x = context.inputs[0];
    const { image, block, windows } = geometryOf(context);
    const [n, columns, places] = x.shape;
    if (x.shape.length !== 3 || columns! % sizeOf(block) !== 0 || places !== sizeOf(windows))
      context.fail(`its input must be [N, C·${sizeOf(block)}, ${sizeOf(windows)}]`);
    return [{ type: x.type, shape: [n!, columns! / sizeOf(block), ...image] }];
  },
  range: finite,
  // dual to cutting the padded image into blocks: element (block position, window) is read at stride · window + dilation · position
  gradient: (context, [g]) => {
    const { block, windows, dilations, strides, before, after } = geometryOf(context);
    const padded = pad(g, [0, 0, ...before, 0, 0, ...after]);
    const size = padded.shape.slice(2);
    const places = indices(block).flatMap((position) =>
      indices(windows).map((window) =>
        position.reduce((flat, p, axis) => flat * size[axis]! + window[axis]! * strides[axis]! + p * dilations[axis]!, 0),
      ),
    );
    const [n, c] = g.shape as [number, number];
    const read = gather(reshape(padded, [n, c, sizeOf(size)]), intsConstant(g.graph, places), 2);
    return [reshape(read, context.inputs[0].shape)];
  },
});

function geometryOf(context: {
  readonly inputs: readonly [Value, Value, Value];
  readonly attributes: {
    readonly dilations: readonly number[] | undefined;
    readonly pads: readonly number[] | undefined;
    readonly strides: readonly number[] | undefined;
  };
  readonly fail: (message: string) => never;
}) {
  const { inputs, attributes, fail } = context;
  const image = constantNumbers(inputs[1], "image_shape", fail);
  const block = constantNumbers(inputs[2], "block_shape", fail);
  if (image.length !== block.length) fail("image_shape and block_shape must have one length");
  const dilations = attributes.dilations ?? image.map(() => 1);
  const strides = attributes.strides ?? image.map(() => 1);
  const pads = attributes.pads ?? [...image, ...image].map(() => 0);
  const before = pads.slice(0, image.length);
  const after = pads.slice(image.length);
  const windows = image.map(
    (d, i) => Math.floor((d + before[i]! + after[i]! - dilations[i]! * (block[i]! - 1) - 1) / strides[i]!) + 1,
  );
  return { image, block, windows, dilations, strides, before, after };
}

/** All index tuples of a shape, row-major. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((list, d) => list.flatMap((tuple) => Array.from({ length: d }, (_, i) => [...tuple, i])), [[]]);
}
