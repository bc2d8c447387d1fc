import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";

/** `x` where above `alpha`, else 0. */
export const thresholdedRelu = (x: Value, alpha = 1): Value => emit(ThresholdedRelu, [x], { alpha });

export const ThresholdedRelu = defineOperator({
  name: "ThresholdedRelu",
  inputs: ["X"],
  attributes: { alpha: float(1) },
  infer: sameAsInput,
  range: finite,
  // dy/dx = [x > alpha]
  gradient: ({ inputs: [x], attributes: { alpha } }, [g]) => [where(greater(x, alpha), g, 0)],
});
