import type { Value } from "../graph/graph.js";
import { type Shape, toNumbers } from "../tensor/tensor.js";
import { scalar } from "./emit.js";
import { Expand, expand } from "./layout/expand.js";

/** Zeros of the element type of `like`, of the given shape (default: that of `like`), without storing them in the model. */
export function zerosLike(like: Value, shape: Shape = like.shape): Value {
  return expand(scalar(like.graph, 0, like.type), shape);
}

/** Whether a value was made by `zerosLike`: zero whatever the inputs are. */
export function isZeros(v: Value): boolean {
  const source = v.node?.operator === Expand ? v.node.inputs[0]! : v;
  return source.constant !== undefined && toNumbers(source.constant).every((n) => n === 0);
}
