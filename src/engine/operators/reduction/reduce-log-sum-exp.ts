import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { exp } from "../elementwise/exp.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { type Axes, emitReduction, inferReduction, kept, reductionAttributes, reductionFlops } from "./axes.js";

/** Logarithm of the sum of exponentials over the given axes (default: all). */
export const reduceLogSumExp = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceLogSumExp, x, axes, reduced);

export const ReduceLogSumExp = defineOperator({
  name: "ReduceLogSumExp",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: finite,
  // d log Σe^x = Σ e^(x - y) dx
  gradient: (context, [g]) => {
    const [y] = context.outputs;
    return [mul(kept(context, g), exp(sub(context.inputs[0], kept(context, y))))];
  },
});
