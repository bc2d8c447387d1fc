import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";

/** `a > b`, a bool tensor, with NumPy broadcasting. */
export const greater = (a: Operand, b: Operand): Value => emit(Greater, [a, b]);

export const Greater = defineOperator({
  name: "Greater",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: (context) => broadcastInputs(context).map(({ shape }) => ({ type: "bool", shape })),
  gradient: zeroGradient("a comparison is piecewise constant"),
});
