import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { negative } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";

/** `-x` */
export const neg = (x: Value): Value => emit(Neg, [x]);

export const Neg = defineOperator({
  name: "Neg",
  inputs: ["X"],
  infer: sameAsInput,
  range: ({ ranges: [x] }) => x && negative(x),
  // d(-x) = -dx
  gradient: (_, [g]) => [neg(g)],
});
