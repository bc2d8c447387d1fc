import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { broadcastShapes, emit } from "../emit.js";

/** At least one is true, with NumPy broadcasting. */
export const or = (a: Value, b: Value): Value => emit(Or, [a, b]);

export const Or = defineOperator({
  name: "Or",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: ({ inputs: [a, b], fail }) => {
    if (a.type !== "bool" || b.type !== "bool") fail("A and B must be bool");
    return [{ type: "bool", shape: broadcastShapes([a.shape, b.shape], fail) }];
  },
  gradient: zeroGradient("truth values have no gradient"),
});
