import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { abs } from "../elementwise/abs.js";
import { add } from "../elementwise/add.js";
import { exp } from "../elementwise/exp.js";
import { log } from "../elementwise/log.js";
import { max } from "../elementwise/max.js";
import { mul } from "../elementwise/mul.js";
import { neg } from "../elementwise/neg.js";
import { emit, sameAsInput } from "../emit.js";
import { sigmoid } from "./sigmoid.js";

/** `log(1 + e^x)` */
export const softplus = (x: Value): Value => emit(Softplus, [x]);

export const Softplus = defineOperator({
  name: "Softplus",
  inputs: ["X"],
  infer: sameAsInput,
  range: notNegative,
  // ONNX Runtime 1.30 has no float64 kernel: max(x, 0) + log(1 + e^-|x|), of which nothing overflows; at 0 both parts have half the slope.
  decompose: ({ inputs: [x] }) => (x.type === "float64" ? [add(max(x, 0), log(add(exp(neg(abs(x))), 1)))] : undefined),
  // d softplus(x) = σ(x) dx
  gradient: ({ inputs: [x] }, [g]) => [mul(g, sigmoid(x))],
});
