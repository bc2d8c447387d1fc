import type { Value } from "../../graph/graph.js";
import { defineComposite, flag, float, floats, int, ints, required, string } from "../../graph/operator.js";
import { hardSigmoid } from "../activation/hard-sigmoid.js";
import { hardSwish } from "../activation/hard-swish.js";
import { leakyRelu } from "../activation/leaky-relu.js";
import { relu } from "../activation/relu.js";
import { sigmoid } from "../activation/sigmoid.js";
import { Conv } from "../convolution/conv.js";
import { add } from "../elementwise/add.js";
import { clip } from "../elementwise/clip.js";
import { mul } from "../elementwise/mul.js";
import { tanh } from "../elementwise/tanh.js";
import { emit } from "../emit.js";
import { transpose } from "../layout/transpose.js";
import { Gemm } from "../linear/gemm.js";
import { matMul } from "../linear/mat-mul.js";
import { windowAttributes } from "../window.js";

/** What ONNX Runtime's optimizer fuses, taken apart again. */
const domain = "com.microsoft";

const activations = ["", "Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "HardSigmoid", "Clip"] as const;

function activate(
  x: Value,
  kind: (typeof activations)[number],
  params: readonly number[],
  fail: (message: string) => never,
): Value {
  const [first, second] = params;
  switch (kind) {
    case "":
      return x;
    case "Relu":
      return relu(x);
    case "Sigmoid":
      return sigmoid(x);
    case "Tanh":
      return tanh(x);
    case "HardSwish":
      return hardSwish(x);
    case "LeakyRelu":
      return leakyRelu(x, first);
    case "HardSigmoid":
      return hardSigmoid(x, first, second);
    case "Clip":
      return first === undefined || second === undefined ? fail("it clips without bounds") : clip(x, first, second);
  }
}

const convAttributes = {
  ...windowAttributes,
  dilations: ints(),
  group: int(1),
  activation: string("", activations),
  activation_params: floats(),
};

export const FusedConv = defineComposite({
  name: "FusedConv",
  domain,
  inputs: ["X", "W", "B?", "Z?"],
  attributes: convAttributes,
  decompose: ({ inputs: [x, w, b, z], attributes: { activation, activation_params = [], ...own }, fail }) => {
    const y = emit(Conv, [x, w, b], own);
    return [activate(z ? add(y, z) : y, activation, activation_params, fail)];
  },
});

/** FusedConv of images whose channels come last, weights as ever. */
export const NhwcFusedConv = defineComposite({
  name: "NhwcFusedConv",
  domain,
  inputs: ["X", "W", "B?", "Z?"],
  attributes: convAttributes,
  decompose: ({ inputs: [x, w, b, z], attributes }) => {
    const axes = x.shape.map((_, i) => i);
    const last = axes.length - 1;
    const first = (v: Value) => transpose(v, [0, last, ...axes.slice(1, -1)]);
    return [transpose(emit(FusedConv, [first(x), w, b, z && first(z)], attributes), [0, ...axes.slice(2), 1])];
  },
});

/** Conv of images whose channels come last, as are those of its weights: `[N, ...spatial, C]`, `[M, ...kernel, C / group]`. */
export const NhwcConv = defineComposite({
  name: "NhwcConv",
  domain,
  inputs: ["X", "W", "B?"],
  attributes: { ...windowAttributes, dilations: ints(), group: int(1) },
  decompose: ({ inputs: [x, w, b], attributes }) => {
    const axes = x.shape.map((_, i) => i);
    const first = (v: Value) => transpose(v, [0, axes.length - 1, ...axes.slice(1, -1)]);
    return [transpose(emit(Conv, [first(x), first(w), b], attributes), [0, ...axes.slice(2), 1])];
  },
});

export const FusedGemm = defineComposite({
  name: "FusedGemm",
  domain,
  inputs: ["A", "B", "C?"],
  attributes: {
    alpha: float(1),
    beta: float(1),
    transA: flag(0),
    transB: flag(0),
    activation: required(string("", activations)),
    activation_alpha: float(),
    activation_beta: float(),
    activation_gamma: float(),
  },
  decompose: ({ inputs, attributes: { activation, activation_alpha, activation_beta, activation_gamma: _, ...own }, fail }) => {
    const params = [activation_alpha, activation_beta].filter((p) => p !== undefined);
    return [activate(emit(Gemm, inputs, own), activation, params, fail)];
  },
});

/**
 * `alpha op(A) op(B)`. `trans` swaps the last two axes; `transBatch` moves the first axis behind the others but the last, before that: A [5, 2, 3, 4]
 * is read as [2, 3, 5, 4].
 */
const fusedMatMul = (name: string) =>
  defineComposite({
    name,
    domain,
    inputs: ["A", "B"],
    attributes: { alpha: float(1), transA: flag(0), transB: flag(0), transBatchA: flag(0), transBatchB: flag(0) },
    decompose: ({ inputs: [a, b], attributes: { alpha, transA, transB, transBatchA, transBatchB } }) => {
      const product = matMul(operand(a, transBatchA !== 0, transA !== 0), operand(b, transBatchB !== 0, transB !== 0));
      return [alpha === 1 ? product : mul(product, alpha)];
    },
  });

function operand(x: Value, batch: boolean, swapped: boolean): Value {
  const axes = x.shape.map((_, i) => i);
  const [first, ...rest] = axes;
  const moved = batch && axes.length > 2 ? [...rest.slice(0, -1), first!, rest.at(-1)!] : axes;
  const order = swapped && axes.length > 1 ? [...moved.slice(0, -2), moved.at(-1)!, moved.at(-2)!] : moved;
  return order.every((axis, i) => axis === i) ? x : transpose(x, order);
}

export const FusedMatMul = fusedMatMul("FusedMatMul");
export const TransposeMatMul = fusedMatMul("TransposeMatMul");
