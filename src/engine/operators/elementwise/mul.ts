import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { product } from "../../graph/range.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";

/** `a · b`, elementwise with NumPy broadcasting. */
export const mul = (a: Operand, b: Operand): Value => emit(Mul, [a, b]);

export const Mul = defineOperator({
  name: "Mul",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  range: ({ inputs, ranges: [a, b] }) => {
    const range = a && b && product(a, b);
    return range && inputs[0] === inputs[1] ? { ...range, low: Math.max(0, range.low) } : range;
  },
  // d(a b) = b da + a db
  gradient: ({ inputs: [a, b], wanted }, [g]) => [
    wanted[0] ? sumTo(mul(g, b), a.shape) : undefined,
    wanted[1] ? sumTo(mul(g, a), b.shape) : undefined,
  ],
});
