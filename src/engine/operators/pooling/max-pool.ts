import type { Value } from "../../graph/graph.js";
import { type Attributes, defineOperator, flag, ints, type TypedOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { emitAll } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { scatterElements } from "../indexing/scatter-elements.js";
import { reshape } from "../layout/reshape.js";
import { zerosLike } from "../zeros.js";
import { inferPool, type PoolOptions, plainPool, poolAttributes, poolingAttributes, windowFlops } from "./pool.js";

export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the taps of the window; default 1. */
  readonly dilations?: readonly number[];
}

/**
 * The largest element of each window of the given size; padding never wins.
 *
 * @param x `[N, C, ...spatial]`
 * @param kernel size of the window, one number per spatial axis
 * @throws GraphError when the window does not fit.
 * @example const y = maxPool(x, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] });
 */
export const maxPool = (x: Value, kernel: readonly number[], options: MaxPoolOptions = {}): Value =>
  emitAll(MaxPool, [x], { ...poolingAttributes(options, kernel), dilations: options.dilations }, 1)[0]!;

/** `maxPool` together with the position (int64) of each largest element in the flattened `x`; the first one where several are equal. */
export function maxPoolWithIndices(
  x: Value,
  kernel: readonly number[],
  options: MaxPoolOptions = {},
): { readonly values: Value; readonly indices: Value } {
  const attributes = { ...poolingAttributes(options, kernel), dilations: options.dilations };
  const [values, indices] = emitAll(MaxPool, [x], attributes, 2);
  return { values: values!, indices: indices! };
}

const attributes = { ...poolAttributes, dilations: ints(), storage_order: flag(0) };

export const MaxPool: TypedOperator<readonly ["X"], readonly ["Y", "Indices?"], typeof attributes> = defineOperator({
  name: "MaxPool",
  inputs: ["X"],
  outputs: ["Y", "Indices?"],
  integers: { "Indices?": "positions" },
  attributes,
  flops: windowFlops,
  decompose: (context) => {
    const plain = plainPool(context, "read");
    if (!plain) return undefined;
    if (plain.x === context.inputs[0]) return emitAll(MaxPool, [plain.x], plain.attributes, context.outputCount);
    const [y, indices] = emitAll(MaxPool, [plain.x], { ...plain.attributes, storage_order: 0 }, context.outputCount);
    if (!indices) return [y];
    const places = placesIn(context.inputs[0], plain, context.attributes.storage_order);
    return [y, gather(places, indices)];
  },
  infer: (context) => {
    const [y] = inferPool(context);
    return [y!, { type: "int64", shape: y!.shape }];
  },
  range: ofFirst,
  // dx[i] = Σ_{o: i is the first maximum of window o} g[o]. The node's own indices serve where it has them row-major; they count through
  // the whole tensor, so both sides are flattened.
  gradient: ({ inputs: [x], outputs, attributes }, [g]) => {
    if (!g) return [];
    const rowMajor = attributes.storage_order === 0 ? outputs[1] : undefined;
    const indices = rowMajor ?? rowMajorIndices(x, attributes);
    const size = sizeOf(x.shape);
    const flat = (v: Value) => reshape(v, [sizeOf(v.shape)]);
    return [reshape(scatterElements(zerosLike(x, [size]), flat(indices), flat(g), 0, "add"), x.shape)];
  },
});

/** For each element of a cropped tensor, its place in the whole one, counted as `storage_order` says. */
function placesIn(x: Value, cropped: { readonly x: Value; readonly starts: readonly number[] }, storageOrder: number): Value {
  const [, , ...spatial] = x.shape;
  const size = sizeOf(spatial);
  const order = spatial.map((_, i) => i);
  if (storageOrder === 1) order.reverse();
  // by how much a step along each spatial axis moves
  const steps = spatial.map((_, i) => sizeOf(order.slice(order.indexOf(i) + 1).map((axis) => spatial[axis]!)));
  const [pictures, inside] = [sizeOf(cropped.x.shape.slice(0, 2)), cropped.x.shape.slice(2)];
  const within = inside.reduce<number[]>(
    (places, length, i) => places.flatMap((p) => Array.from({ length }, (_, k) => p + (cropped.starts[i]! + k) * steps[i]!)),
    [0],
  );
  const places = Array.from({ length: pictures }, (_, picture) => within.map((p) => picture * size + p)).flat();
  return x.graph.constant(tensor("int64", [places.length], places));
}

function rowMajorIndices(x: Value, attributes: Attributes): Value {
  return emitAll(MaxPool, [x], { ...attributes, storage_order: 0 }, 2)[1]!;
}
