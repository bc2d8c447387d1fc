import type { Value } from "../../graph/graph.js";
import { defineOperator, float, int, required } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { pow } from "../elementwise/pow.js";
import { sub } from "../elementwise/sub.js";
import { emit } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { matMul } from "../linear/mat-mul.js";

export interface LrnOptions {
  readonly alpha?: number;
  readonly beta?: number;
  readonly bias?: number;
}

/**
 * Local response normalization `x / (bias + alpha/size Σ x²)^beta`, the sum taken over `size` neighboring channels (Krizhevsky et al. 2012).
 */
export const lrn = (x: Value, size: number, options: LrnOptions = {}): Value => emit(LRN, [x], { size, ...options });

export const LRN = defineOperator({
  name: "LRN",
  inputs: ["X"],
  attributes: { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: required(int()) },
  infer: ({ inputs: [x], attributes, fail }) => {
    if (x.shape.length < 2) fail("its input must be [N, C, ...]");
    if (attributes.size < 1) fail(`size must be at least 1, not ${attributes.size}`);
    return [x];
  },
  range: finite,
  // with s = bias + alpha/size W x² and y = x s^-beta: dx = g s^-beta - 2 alpha beta / size x Wᵀ(g y / s)
  gradient: ({ inputs: [x], outputs: [y], attributes: { alpha, beta, bias, size } }, [g]) => {
    const s = add(mul(windowSum(mul(x, x), size, "of inputs"), alpha / size), bias);
    const spread = windowSum(div(mul(g, y), s), size, "of outputs");
    return [sub(mul(g, pow(s, -beta)), mul(mul(x, spread), (2 * alpha * beta) / size))];
  },
});

/** Sums over the window of channels of each output, or, transposed, over the outputs whose windows contain each channel. */
function windowSum(v: Value, size: number, over: "of inputs" | "of outputs"): Value {
  const [batch, channels] = [v.shape[0]!, v.shape[1]!];
  const before = Math.floor((size - 1) / 2);
  const after = size - 1 - before;
  const band = Array.from({ length: channels * channels }, (_, k) => {
    const [row, column] = [Math.floor(k / channels), k % channels];
    const offset = over === "of inputs" ? column - row : row - column;
    return -before <= offset && offset <= after ? 1 : 0;
  });
  const pixels = sizeOf(v.shape.slice(2));
  const window = v.graph.constant(tensor(v.type, [channels, channels], band));
  return reshape(matMul(window, reshape(v, [batch, channels, pixels])), v.shape);
}
