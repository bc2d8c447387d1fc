import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { equal } from "../logic/equal.js";
import { where } from "../logic/where.js";
import { type Axes, emitReduction, inferReduction, kept, reducedAxes, reductionAttributes, reductionFlops } from "./axes.js";
import { reduceSum } from "./reduce-sum.js";

/** Product over the given axes (default: all). */
export const reduceProd = (x: Value, axes?: readonly number[], reduced: Axes = "drop"): Value =>
  emitReduction(ReduceProd, x, axes, reduced);

export const ReduceProd = defineOperator({
  name: "ReduceProd",
  inputs: ["data", "axes?"],
  outputs: ["reduced"],
  attributes: reductionAttributes,
  flops: reductionFlops,
  infer: inferReduction,
  range: finite,
  // dy/dxᵢ = Π_{j≠i} xⱼ: where no other factor is 0, the product of the non-zero factors divided by xᵢ (by 1 for xᵢ = 0); else 0
  gradient: (context, [g]) => {
    const [x] = context.inputs;
    const axes = reducedAxes(context);
    const isZero = equal(x, 0);
    const zeros = cast(isZero, x.type);
    const nonZero = where(isZero, 1, x);
    const others = div(reduceProd(nonZero, axes, "keep"), nonZero);
    const zerosElsewhere = sub(reduceSum(zeros, axes, "keep"), zeros);
    return [where(equal(zerosElsewhere, 0), mul(kept(context, g), others), 0)];
  },
});
