import type { Value } from "../graph/graph.js";
import type { Shape } from "../tensor/tensor.js";
import { scalar } from "./emit.js";
import { expand } from "./layout/expand.js";

/** Zeros of the element type of `like`, of the given shape (default: that of `like`), without storing them in the model. */
export function zerosLike(like: Value, shape: Shape = like.shape): Value {
  return expand(scalar(like.graph, 0, like.type), shape);
}
