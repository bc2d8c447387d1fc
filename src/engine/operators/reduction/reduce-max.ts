import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { type Axes, emitReduction, inferReduction, reductionAttributes, reductionFlops } from "./axes.js";
import { extremeGradient } from "./extreme.js";

/** Largest value over the given axes (default: all). */
export const reduceMax = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceMax, x, axes, reduced);

export const ReduceMax = defineOperator({
  name: "ReduceMax",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: ({ inputs: [x], ranges: [range], attributes: { keepdims } }) =>
    range && { low: range.low, high: range.high, ...(keepdims === 1 && x && { above: x }) },
  // the cotangent is shared evenly by the maxima, as torch.amax does
  gradient: (context, [g]) => extremeGradient(context, context.outputs[0], g),
});
