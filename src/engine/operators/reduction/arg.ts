import type { Value, ValueType } from "../../graph/graph.js";
import { flag, int } from "../../graph/operator.js";
import { normalizeAxis } from "../emit.js";

export const argAttributes = { axis: int(0), keepdims: flag(1), select_last_index: flag(0) };

/** The shape of ArgMax and ArgMin. */
export function inferArg(context: {
  readonly inputs: readonly [Value];
  readonly attributes: { readonly axis: number; readonly keepdims: number };
  readonly fail: (message: string) => never;
}): readonly ValueType[] {
  const { inputs, attributes, fail } = context;
  const [x] = inputs;
  const axis = normalizeAxis(attributes.axis, x.shape.length, fail);
  return [{ type: "int64", shape: x.shape.flatMap((d, i) => (i === axis ? (attributes.keepdims ? [1] : []) : [d])) }];
}
