import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { inverse, product } from "../../graph/range.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

/** `a / b`, elementwise with NumPy broadcasting; whole numbers are divided towards zero. */
export const div = (a: Operand, b: Operand): Value => emit(Div, [a, b]);

export const Div = defineOperator({
  name: "Div",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  range: ({ ranges: [a, b] }) => {
    const reciprocal = b && inverse(b);
    return a && reciprocal && product(a, reciprocal);
  },
  // d(a / b) = da / b - (a / b) db / b
  gradient: ({ inputs: [a, b], outputs: [c], wanted }, [g]) => {
    const scaled = div(g, b);
    return [wanted[0] ? sumTo(scaled, a.shape) : undefined, wanted[1] ? neg(sumTo(mul(scaled, c), b.shape)) : undefined];
  },
});
