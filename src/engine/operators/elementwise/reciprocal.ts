import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { inverse } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

/** `1 / x` */
export const reciprocal = (x: Value): Value => emit(Reciprocal, [x]);

export const Reciprocal = defineOperator({
  name: "Reciprocal",
  inputs: ["X"],
  infer: sameAsInput,
  range: ({ ranges: [x] }) => x && inverse(x),
  // d(1/x) = -dx / x²
  gradient: ({ outputs: [y] }, [g]) => [neg(mul(g, mul(y, y)))],
});
