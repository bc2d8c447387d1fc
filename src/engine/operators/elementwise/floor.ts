import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";

/** The largest whole number not above `x`. */
export const floor = (x: Value): Value => emit(Floor, [x]);

export const Floor = defineOperator({
  name: "Floor",
  inputs: ["X"],
  infer: sameAsInput,
  range: finite,
  gradient: zeroGradient("rounding is piecewise constant"),
});
