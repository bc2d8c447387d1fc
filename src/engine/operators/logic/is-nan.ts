import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { emit } from "../emit.js";

/** True where `x` is not a number. */
export const isNan = (x: Value): Value => emit(IsNaN, [x]);

export const IsNaN = defineOperator({
  name: "IsNaN",
  inputs: ["X"],
  infer: ({ inputs: [x] }) => [{ type: "bool", shape: x.shape }],
  gradient: zeroGradient("a test is piecewise constant"),
});
