import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";

/** `a · b`, elementwise with NumPy broadcasting. */
export const mul = (a: Operand, b: Operand): Value => emit(Mul, [a, b]);

export const Mul = defineOperator({
  name: "Mul",
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  // d(a b) = b da + a db
  gradient: ({ inputs: [a, b], wanted }, [g]) => [
    wanted[0] ? sumTo(mul(g, b), a.shape) : undefined,
    wanted[1] ? sumTo(mul(g, a), b.shape) : undefined,
  ],
});
