import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";

/** Bitwise complement of whole numbers. */
export const bitwiseNot = (x: Value): Value => emit(BitwiseNot, [x]);

export const BitwiseNot = defineOperator({
  name: "BitwiseNot",
  inputs: ["X"],
  infer: sameAsInput,
  gradient: zeroGradient("whole numbers have no gradient"),
});
