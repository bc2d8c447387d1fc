import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";

/** Bitwise exclusive or of whole numbers, with NumPy broadcasting. */
export const bitwiseXor = (a: Operand, b: Operand): Value => emit(BitwiseXor, [a, b]);

export const BitwiseXor = defineOperator({
  name: "BitwiseXor",
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  gradient: zeroGradient("whole numbers have no gradient"),
});
