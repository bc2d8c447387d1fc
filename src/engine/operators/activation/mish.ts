import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { tanh } from "../elementwise/tanh.js";
import { emit, sameAsInput } from "../emit.js";
import { sigmoid } from "./sigmoid.js";
import { softplus } from "./softplus.js";

/** `x tanh(softplus(x))` (Misra 2019, arXiv 1908.08681). */
export const mish = (x: Value): Value => emit(Mish, [x]);

export const Mish = defineOperator({
  name: "Mish",
  inputs: ["X"],
  infer: sameAsInput,
  range: finite,
  // Of Softplus, which it is made of, ONNX Runtime 1.30 has no float64 kernel.
  decompose: ({ inputs: [x] }) => (x.type === "float64" ? [mul(x, tanh(softplus(x)))] : undefined),
  // with t = tanh(softplus(x)): dy/dx = t + x (1 - t²) σ(x)
  gradient: ({ inputs: [x] }, [g]) => {
    const t = tanh(softplus(x));
    return [mul(g, add(t, mul(mul(x, sub(1, mul(t, t))), sigmoid(x))))];
  },
});
