import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";

/** The smallest whole number not below `x`. */
export const ceil = (x: Value): Value => emit(Ceil, [x]);

export const Ceil = defineOperator({
  name: "Ceil",
  inputs: ["X"],
  infer: sameAsInput,
  range: finite,
  gradient: zeroGradient("rounding is piecewise constant"),
});
