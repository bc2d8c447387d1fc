import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { equal } from "../logic/equal.js";
import { where } from "../logic/where.js";
import { type Axes, emitReduction, inferReduction, kept, reductionAttributes, reductionFlops } from "./axes.js";

/** Euclidean norm over the given axes (default: all). */
export const reduceL2 = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceL2, x, axes, reduced);

export const ReduceL2 = defineOperator({
  name: "ReduceL2",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: notNegative,
  // d ‖x‖ = Σ x dx / ‖x‖; 0 at x = 0, as PyTorch
  gradient: (context, [g]) => {
    const [y] = context.outputs;
    return [mul(kept(context, where(equal(y, 0), 0, div(g, y))), context.inputs[0])];
  },
});
