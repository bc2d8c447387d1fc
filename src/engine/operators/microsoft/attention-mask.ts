import type { Value } from "../../graph/graph.js";
import { isFloat, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { scalar } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { and } from "../logic/and.js";
import { greater } from "../logic/greater.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { less } from "../logic/less.js";
import { lessOrEqual } from "../logic/less-or-equal.js";
import { where } from "../logic/where.js";

/** Sizes of an attention: queries stand behind `past` keys. */
export interface MaskSizes {
  readonly batch: number;
  readonly queries: number;
  /** Keys, those of the past included. */
  readonly keys: number;
  readonly past: number;
}

/**
 * ONNX Runtime's masks of keys, added to the scores: 0 where a key counts, `filter` (-10000 unless said) where it is padding. Forms: the length
 * of each row `[B]`; ends, then starts `[2·B]`; 1 for keys that count `[B, T]`, `[B, S, T]`; a square of all positions `[B, 1, M, M]`.
 *
 * @returns broadcast to `[B, H, S, T]`
 */
export function paddingBias(
  mask: Value,
  filter: number,
  like: Value,
  { batch, queries, keys, past }: MaskSizes,
  fail: (message: string) => never,
): Value {
  const graph = mask.graph;
  const bias = (counts: Value): Value => where(counts, scalar(graph, 0, like.type), filter);
  const rank = mask.shape.length;
  if (rank === 1) {
    const places = positions(mask, [1, 1, 1, keys]);
    const numbers = cast(mask, "int64");
    const column = (from: number): Value => reshape(slice(numbers, [from], [from + batch], { axes: [0] }), [batch, 1, 1, 1]);
    const before = less(places, column(0));
    if (mask.shape[0] === batch) return bias(before);
    if (mask.shape[0] === 2 * batch) return bias(and(before, greaterOrEqual(places, column(batch))));
    return fail(`it has a mask of ${mask.shape[0]} numbers for ${batch} rows, in a form that Faultline does not take apart`);
  }
  const counts = greater(isFloat(mask.type) ? mask : cast(mask, "int32"), 0);
  if (rank === 2 && mask.shape[1] === keys) return bias(reshape(counts, [mask.shape[0]!, 1, 1, keys]));
  if (rank === 3 && mask.shape[1] === queries && mask.shape[2] === keys)
    return bias(reshape(counts, [mask.shape[0]!, 1, queries, keys]));
  if (rank === 4) return bias(greater(slice(cast(mask, "int32"), [past, 0], [past + queries, keys], { axes: [2, 3] }), 0));
  return fail(`its mask [${mask.shape.join(", ")}] does not fit ${queries} queries and ${keys} keys`);
}

/** Keys up to the query's own place: `[S, T]`. */
export const causal = (like: Value, { queries, keys, past }: MaskSizes): Value =>
  lessOrEqual(positions(like, [1, keys]), add(positions(like, [queries, 1]), past));

function positions({ graph }: Value, shape: readonly number[]): Value {
  const count = shape.reduce((p, d) => p * d, 1);
  return graph.constant(
    tensor(
      "int64",
      shape,
      Array.from({ length: count }, (_, i) => i),
    ),
  );
}
