import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { emit } from "../emit.js";
import { argAttributes, inferArg } from "./arg.js";
import type { Axes } from "./axes.js";

/** Position (int64) of the smallest value along one axis; the first one where several are equal. */
export const argMin = (x: Value, axis = 0, reduced: Axes = "drop"): Value =>
  emit(ArgMin, [x], { axis, keepdims: reduced === "keep" ? 1 : 0 });

export const ArgMin = defineOperator({
  name: "ArgMin",
  inputs: ["data"],
  outputs: ["reduced"],
  attributes: argAttributes,
  infer: inferArg,
  gradient: zeroGradient("a position is piecewise constant"),
});
