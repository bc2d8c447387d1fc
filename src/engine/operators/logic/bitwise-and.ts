import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";

/** Bitwise and of whole numbers, with NumPy broadcasting. */
export const bitwiseAnd = (a: Operand, b: Operand): Value => emit(BitwiseAnd, [a, b]);

export const BitwiseAnd = defineOperator({
  name: "BitwiseAnd",
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  gradient: zeroGradient("whole numbers have no gradient"),
});
