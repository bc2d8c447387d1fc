import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";

/** Logical negation. */
export const not = (x: Value): Value => emit(Not, [x]);

export const Not = defineOperator({
  name: "Not",
  inputs: ["X"],
  infer: sameAsInput,
  gradient: zeroGradient("truth values have no gradient"),
});
