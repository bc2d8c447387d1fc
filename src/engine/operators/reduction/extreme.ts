import type { Value } from "../../graph/graph.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { equal } from "../logic/equal.js";
import { where } from "../logic/where.js";
import { kept, type ReductionContext, reducedAxes } from "./axes.js";
import { reduceSum } from "./reduce-sum.js";

/** Gradient of ReduceMax and ReduceMin: d y = Σ [xᵢ = y] dxᵢ / #{j : xⱼ = y}. */
export function extremeGradient(context: ReductionContext, y: Value, g: Value): readonly [Value] {
  const [x] = context.inputs;
  const hit = equal(x, kept(context, y));
  const ties = reduceSum(cast(hit, x.type), reducedAxes(context), "keep");
  return [where(hit, div(kept(context, g), ties), 0)];
}
