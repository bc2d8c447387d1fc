import type { Value } from "../../graph/graph.js";
import {
  type AttributeSchema,
  type Attributes,
  defineComposite,
  flag,
  float,
  int,
  ints,
  type Operator,
  required,
} from "../../graph/operator.js";
import { LeakyRelu } from "../activation/leaky-relu.js";
import { Sigmoid } from "../activation/sigmoid.js";
import { Softmax } from "../activation/softmax.js";
import { Conv } from "../convolution/conv.js";
import { Add } from "../elementwise/add.js";
import { Mul, mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { Gemm } from "../linear/gemm.js";
import { matMul } from "../linear/mat-mul.js";
import { AveragePool } from "../pooling/average-pool.js";
import { GlobalAveragePool } from "../pooling/global-average-pool.js";
import { dequantizeLinear } from "../quantization/dequantize-linear.js";
import { quantizeLinear } from "../quantization/quantize-linear.js";
import { windowAttributes } from "../window.js";

/**
 * Operators on quantized values become dequantize, operator, quantize: the same function up to the rounding of the sum, and one that can
 * be differentiated. Each takes triples (value, scale, zero point).
 */
const domain = "com.microsoft";

/** `axis` is that of scales given for each channel; a single scale, of shape [1] too, needs none. */
const dequantize = (x: Value, scale: Value, zero?: Value, axis = 0): Value =>
  dequantizeLinear(x, single(scale), zero && single(zero), axis);
const quantize = (x: Value, scale: Value, zero?: Value): Value => quantizeLinear(x, single(scale), zero && single(zero));
const single = (v: Value): Value => (v.shape.length === 1 && v.shape[0] === 1 ? reshape(v, []) : v);

/** The bias is an integer with the scale of its summands, x_scale w_scale. */
const dequantizeBias = (bias: Value, xScale: Value, wScale: Value): Value =>
  dequantize(bias, mul(single(xScale), single(wScale)));

/** ONNX's own. */
export const QLinearConv = defineComposite({
  name: "QLinearConv",
  inputs: ["x", "x_scale", "x_zero_point", "w", "w_scale", "w_zero_point", "y_scale", "y_zero_point", "B?"],
  outputs: ["y"],
  attributes: { ...windowAttributes, dilations: ints(), group: int(1) },
  decompose: ({ inputs: [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias], attributes }) => {
    const b = bias && dequantizeBias(bias, xScale, wScale);
    const y = emit(Conv, [dequantize(x, xScale, xZero), dequantize(w, wScale, wZero), b], attributes);
    return [quantize(y, yScale, yZero)];
  },
});

/** Scales for each row of A lie along its last but one axis, for each column of B along its last. ONNX's own. */
export const QLinearMatMul = defineComposite({
  name: "QLinearMatMul",
  inputs: ["a", "a_scale", "a_zero_point", "b", "b_scale", "b_zero_point", "y_scale", "y_zero_point"],
  outputs: ["y"],
  decompose: ({ inputs: [a, aScale, aZero, b, bScale, bZero, yScale, yZero] }) => [
    quantize(matMul(dequantize(a, aScale, aZero, -2), dequantize(b, bScale, bZero, -1)), yScale, yZero),
  ],
});

const binary = (name: string, operator: Operator) =>
  defineComposite({
    name,
    domain,
    inputs: ["A", "A_scale", "A_zero_point?", "B", "B_scale", "B_zero_point?", "C_scale", "C_zero_point?"],
    outputs: ["C"],
    decompose: ({ inputs: [a, aScale, aZero, b, bScale, bZero, yScale, yZero] }) => [
      quantize(emit(operator, [dequantize(a, aScale, aZero), dequantize(b, bScale, bZero)]), yScale, yZero),
    ],
  });

export const QLinearAdd = binary("QLinearAdd", Add);
export const QLinearMul = binary("QLinearMul", Mul);

/** @param own those of its attributes that the operator takes. */
const unary = (
  name: string,
  operator: Operator,
  attributes: AttributeSchema = {},
  own: (attributes: Attributes, x: Value, fail: (message: string) => never) => Attributes = (given) => given,
) =>
  defineComposite({
    name,
    domain,
    inputs: ["X", "X_scale", "X_zero_point?", "Y_scale", "Y_zero_point?"],
    attributes,
    decompose: ({ inputs: [x, xScale, xZero, yScale, yZero], attributes, fail }) => [
      quantize(emit(operator, [dequantize(x, xScale, xZero)], own(attributes, x, fail)), yScale, yZero),
    ],
  });

export const QLinearSigmoid = unary("QLinearSigmoid", Sigmoid);
export const QLinearLeakyRelu = unary("QLinearLeakyRelu", LeakyRelu, { alpha: float(0.01) });

const channelsFirst = ({ channels_last, ...own }: Attributes, _: Value, fail: (message: string) => never): Attributes =>
  channels_last === 0 ? own : fail("it works on channels-last images, which ONNX operators do not");

export const QLinearGlobalAveragePool = unary(
  "QLinearGlobalAveragePool",
  GlobalAveragePool,
  { channels_last: flag(0) },
  channelsFirst,
);
export const QLinearAveragePool = unary(
  "QLinearAveragePool",
  AveragePool,
  { ...windowAttributes, kernel_shape: required(ints()), ceil_mode: flag(0), count_include_pad: flag(0), channels_last: flag(0) },
  channelsFirst,
);

/** Since ONNX Runtime 1.12 the node says which opset's softmax it is. */
export const QLinearSoftmax = unary("QLinearSoftmax", Softmax, { axis: int(-1), opset: int(13) }, ({ axis, opset }, x, fail) => {
  const isLast = axis === -1 || axis === x.shape.length - 1;
  if ((opset as number) < 13 && !isLast) fail("it flattens its input as opset 12 did; export the model with opset 13");
  return { axis };
});

/** y_scale, y_zero_point, then a triple for each part. */
export const QLinearConcat = defineComposite({
  name: "QLinearConcat",
  domain,
  inputs: ["Y_scale", "Y_zero_point", "...inputs"],
  attributes: { axis: required(int()) },
  decompose: ({ inputs, attributes: { axis } }) => {
    const [yScale, yZero, ...parts] = inputs as readonly Value[];
    const triples = Array.from({ length: Math.floor(parts.length / 3) }, (_, i) => parts.slice(3 * i, 3 * i + 3));
    const values = triples.map(([x, scale, zero]) => dequantize(x!, scale!, zero));
    return [quantize(concat(values, axis), yScale!, yZero)];
  },
});

/** The bias is not multiplied by alpha. */
export const QGemm = defineComposite({
  name: "QGemm",
  domain,
  inputs: ["A", "a_scale", "a_zero_point?", "B", "b_scale", "b_zero_point?", "C?", "y_scale?", "y_zero_point?"],
  attributes: { alpha: float(1), transA: flag(0), transB: flag(0) },
  decompose: ({ inputs: [a, aScale, aZero, b, bScale, bZero, bias, yScale, yZero], attributes }) => {
    const perColumn = attributes.transB === 0 ? 1 : 0;
    const c = bias && dequantizeBias(bias, aScale, bScale);
    const y = emit(Gemm, [dequantize(a, aScale, aZero), dequantize(b, bScale, bZero, perColumn), c], attributes);
    return [yScale ? quantize(y, yScale, yZero) : y];
  },
});
