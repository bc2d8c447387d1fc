import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";

/** `a >= b`, a bool tensor, with NumPy broadcasting. */
export const greaterOrEqual = (a: Operand, b: Operand): Value => emit(GreaterOrEqual, [a, b]);

export const GreaterOrEqual = defineOperator({
  name: "GreaterOrEqual",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: (context) => broadcastInputs(context).map(({ shape }) => ({ type: "bool", shape })),
  gradient: zeroGradient("a comparison is piecewise constant"),
});
