import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";

/** `a < b`, a bool tensor, with NumPy broadcasting. */
export const less = (a: Operand, b: Operand): Value => emit(Less, [a, b]);

export const Less = defineOperator({
  name: "Less",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: (context) => broadcastInputs(context).map(({ shape }) => ({ type: "bool", shape })),
  gradient: zeroGradient("a comparison is piecewise constant"),
});
