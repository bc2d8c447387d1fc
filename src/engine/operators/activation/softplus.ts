import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";
import { sigmoid } from "./sigmoid.js";

/** `log(1 + e^x)` */
export const softplus = (x: Value): Value => emit(Softplus, [x]);

export const Softplus = defineOperator({
  name: "Softplus",
  inputs: ["X"],
  infer: sameAsInput,
  range: notNegative,
  // d softplus(x) = σ(x) dx
  gradient: ({ inputs: [x] }, [g]) => [mul(g, sigmoid(x))],
});
