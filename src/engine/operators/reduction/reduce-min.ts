import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { type Axes, emitReduction, inferReduction, reductionAttributes, reductionFlops } from "./axes.js";
import { extremeGradient } from "./extreme.js";

/** Smallest value over the given axes (default: all). */
export const reduceMin = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceMin, x, axes, reduced);

export const ReduceMin = defineOperator({
  name: "ReduceMin",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: ofFirst,
  // the cotangent is shared evenly by the minima, as torch.amin does
  gradient: (context, [g]) => extremeGradient(context, context.outputs[0], g),
});
