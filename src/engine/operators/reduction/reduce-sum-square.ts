import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { type Axes, emitReduction, inferReduction, kept, reductionAttributes, reductionFlops } from "./axes.js";

/** Sum of squares over the given axes (default: all). */
export const reduceSumSquare = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceSumSquare, x, axes, reduced);

export const ReduceSumSquare = defineOperator({
  name: "ReduceSumSquare",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: notNegative,
  // d Σx² = Σ 2x dx
  gradient: (context, [g]) => [mul(kept(context, mul(g, 2)), context.inputs[0])],
});
