import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { sign } from "../elementwise/sign.js";
import { type Axes, emitReduction, inferReduction, kept, reductionAttributes, reductionFlops } from "./axes.js";

/** Sum of absolute values over the given axes (default: all). */
export const reduceL1 = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceL1, x, axes, reduced);

export const ReduceL1 = defineOperator({
  name: "ReduceL1",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: notNegative,
  // d Σ|x| = Σ sign(x) dx
  gradient: (context, [g]) => [mul(kept(context, g), sign(context.inputs[0]))],
});
