import type { Value } from "../../graph/graph.js";
import { defineOperator, nodeAs, type Operator } from "../../graph/operator.js";
import { product } from "../../graph/range.js";
import { Sigmoid } from "../activation/sigmoid.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";
import { sum } from "./sum.js";

/** `a · b`, elementwise with NumPy broadcasting. */
export const mul = (a: Operand, b: Operand): Value => emit(Mul, [a, b]);

export const Mul: Operator = defineOperator({
  name: "Mul",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  // At level "extended" ONNX Runtime 1.30 makes one operator of x σ(αx), for which it has no float64 kernel; a sum of one operand between the two keeps them apart.
  decompose: ({ inputs: [a, b], graph }) => {
    if (a.type !== "float64" || !(nodeAs(Sigmoid, a) || nodeAs(Sigmoid, b))) return undefined;
    const apart = (v: Value) => (nodeAs(Sigmoid, v) ? sum(v) : v);
    return graph.add(Mul, [apart(a), apart(b)], {});
  },
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
