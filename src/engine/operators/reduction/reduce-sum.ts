import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, intsConstant } from "../emit.js";
import { expand } from "../layout/expand.js";
import { reshape } from "../layout/reshape.js";
import { type Axes, inferReduction, keptShape, reductionAttributes } from "./axes.js";

/** Sum over the given axes (default: all). */
export const reduceSum = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emit(ReduceSum, [x, axes && intsConstant(x.graph, axes)], { keepdims: reduced === "keep" ? 1 : 0 });

export const ReduceSum = defineOperator({
  name: "ReduceSum",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  infer: inferReduction,
  // d sum(x) = sum(dx): the cotangent is repeated along the reduced axes
  gradient: (context, [g]) => [expand(reshape(g, keptShape(context)), context.inputs[0].shape)],
});
