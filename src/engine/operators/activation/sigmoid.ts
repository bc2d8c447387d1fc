import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { emit, sameAsInput } from "../emit.js";

/** Logistic function `1 / (1 + e^-x)`. */
export const sigmoid = (x: Value): Value => emit(Sigmoid, [x]);

export const Sigmoid = defineOperator({
  name: "Sigmoid",
  inputs: ["X"],
  infer: sameAsInput,
  range: within(0, 1),
  // d σ(x) = σ (1 - σ) dx
  gradient: ({ outputs: [y] }, [g]) => [mul(g, mul(y, sub(1, y)))],
});
