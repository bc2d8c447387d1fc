import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";

/** Bitwise or of whole numbers, with NumPy broadcasting. */
export const bitwiseOr = (a: Operand, b: Operand): Value => emit(BitwiseOr, [a, b]);

export const BitwiseOr = defineOperator({
  name: "BitwiseOr",
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  gradient: zeroGradient("whole numbers have no gradient"),
});
