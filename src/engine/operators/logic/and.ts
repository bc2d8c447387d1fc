import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastShapes, emit } from "../emit.js";

/** Both are true, with NumPy broadcasting. */
export const and = (a: Value, b: Value): Value => emit(And, [a, b]);

export const And = defineOperator({
  name: "And",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: ({ inputs: [a, b], fail }) => {
    if (a.type !== "bool" || b.type !== "bool") fail("A and B must be bool");
    return [{ type: "bool", shape: broadcastShapes([a.shape, b.shape], fail) }];
  },
  gradient: zeroGradient("truth values have no gradient"),
});
