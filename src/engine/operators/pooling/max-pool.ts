import type { Value } from "../../graph/graph.js";
import { type Attributes, defineOperator, flag, ints, type TypedOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { emitAll } from "../emit.js";
import { scatterElements } from "../indexing/scatter-elements.js";
import { reshape } from "../layout/reshape.js";
import { zerosLike } from "../zeros.js";
import { inferPool, type PoolOptions, poolAttributes, poolingAttributes, windowFlops, withoutNarrowPadding } from "./pool.js";

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
    const explicit = withoutNarrowPadding(context);
    return explicit && context.graph.add(MaxPool, context.inputs, explicit, { outputCount: context.outputCount });
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

function rowMajorIndices(x: Value, attributes: Attributes): Value {
  return emitAll(MaxPool, [x], { ...attributes, storage_order: 0 }, 2)[1]!;
}
