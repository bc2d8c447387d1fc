import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { expand } from "../layout/expand.js";
import { type Axes, emitReduction, inferReduction, kept, reducedSize, reductionAttributes, reductionFlops } from "./axes.js";

/** Mean over the given axes (default: all). */
export const reduceMean = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceMean, x, axes, reduced);

export const ReduceMean = defineOperator({
  name: "ReduceMean",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: ofFirst,
  // d mean(x) = sum(dx) / n
  gradient: (context, [g]) => [expand(kept(context, mul(g, 1 / reducedSize(context))), context.inputs[0].shape)],
});
