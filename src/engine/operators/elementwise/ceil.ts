import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";

/** The smallest whole number not below `x`. */
export const ceil = (x: Value): Value => emit(Ceil, [x]);

export const Ceil = defineOperator({
  name: "Ceil",
  inputs: ["X"],
  infer: sameAsInput,
  gradient: zeroGradient("rounding is piecewise constant"),
});
