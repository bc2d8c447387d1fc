import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { negative, sum } from "../../graph/range.js";
import { combined, minus } from "../../graph/whole-numbers.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";
import { neg } from "./neg.js";

/** `a - b` with NumPy broadcasting. */
export const sub = (a: Operand, b: Operand): Value => emit(Sub, [a, b]);

export const Sub = defineOperator({
  name: "Sub",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  wholeNumbers: combined(minus),
  range: ({ inputs, ranges: [a, b] }) => {
    if (!a || !b) return undefined;
    const range = sum(a, negative(b));
    const isNeverPositive = b.above === inputs[0] || a.below?.includes(inputs[1]);
    return isNeverPositive ? { ...range, high: Math.min(range.high, 0) } : range;
  },
  // d(a - b) = da - db; reduced first, negated after: the smaller tensor is negated
  gradient: ({ inputs: [a, b] }, [g]) => [sumTo(g, a.shape), neg(sumTo(g, b.shape))],
});
