import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { product } from "../../graph/range.js";
import { sizeOf } from "../../tensor/tensor.js";
import { expand } from "../layout/expand.js";
import { type Axes, emitReduction, inferReduction, kept, reductionAttributes, reductionFlops } from "./axes.js";

/** Sum over the given axes (default: all). */
export const reduceSum = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceSum, x, axes, reduced);

export const ReduceSum = defineOperator({
  name: "ReduceSum",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: ({ inputs: [x], ranges: [range], output }) => {
    const count = sizeOf(x!.shape) / Math.max(1, sizeOf(output.shape));
    return range && product(range, { low: count, high: count });
  },
  // d sum(x) = sum(dx): the cotangent is repeated along the reduced axes
  gradient: (context, [g]) => [expand(kept(context, g), context.inputs[0].shape)],
});
