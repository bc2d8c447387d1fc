import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { growing } from "../../graph/range.js";
import { div } from "../elementwise/div.js";
import { exp } from "../elementwise/exp.js";
import { expand } from "../layout/expand.js";
import { type Axes, emitReduction, inferReduction, kept, reductionAttributes, reductionFlops } from "./axes.js";

/** Logarithm of the sum over the given axes (default: all). */
export const reduceLogSum = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceLogSum, x, axes, reduced);

export const ReduceLogSum = defineOperator({
  name: "ReduceLogSum",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: growing(Math.log, 2 ** -126),
  // d log Σx = Σ dx / Σx, and Σx = e^y
  gradient: (context, [g]) => [expand(kept(context, div(g, exp(context.outputs[0]))), context.inputs[0].shape)],
});
