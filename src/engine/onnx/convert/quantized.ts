import { tensor, toNumbers } from "../../tensor/tensor.js";
import type { OnnxNode } from "../model.js";
import { type Conversion, float, floatOf, int, intOf, microsoft, newest, type Rewrite, without } from "./conversion.js";
import { quantization } from "./types.js";

/**
 * Operators on quantised values become dequantise, operator, quantise: the same function up to the rounding of the sum, and one that can
 * be differentiated. Each takes triples (value, scale, zero point).
 */

/** `axis` is that of scales given for each channel; a single scale needs none. */
function dequantize(to: Rewrite, value: string, scale: string, zero: string | undefined, axis = 0): string {
  const scales = single(to, scale);
  return to.add("DequantizeLinear", zero ? [value, scales, single(to, zero)] : [value, scales], { axis: int(axis) });
}

function quantize(to: Rewrite, value: string, scale: string, zero: string | undefined): void {
  const scales = single(to, scale);
  to.finish("QuantizeLinear", zero ? [value, scales, single(to, zero)] : [value, scales]);
}

/** A constant of shape [1] as the scalar that it stands for; [1] could as well be a scale for each of one channel. */
function single(to: Rewrite, name: string): string {
  const value = to.scope.valueOf(name);
  return value !== undefined && value.shape.length === 1 && value.shape[0] === 1
    ? to.constant({ ...value, shape: [] }, "scalar")
    : name;
}

/** The bias is an integer with the scale of its summands, x_scale w_scale. */
function dequantizeBias(to: Rewrite, bias: string, xScale: string, wScale: string): string {
  const a = to.scope.valueOf(xScale);
  const b = to.scope.valueOf(wScale);
  let scale: string;
  if (a === undefined || b === undefined) scale = to.add("Mul", [xScale, wScale]);
  else {
    const [x = 1] = toNumbers(a);
    scale = to.constant(
      tensor(
        "float32",
        b.shape,
        toNumbers(b).map((w) => x * w),
      ),
      "bias_scale",
    );
  }
  return dequantize(to, bias, scale, undefined);
}

function qLinearConv(node: OnnxNode, to: Rewrite) {
  const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias] = node.inputs as string[];
  const inputs = [dequantize(to, x!, xScale!, xZero), dequantize(to, w!, wScale!, wZero)];
  if (bias) inputs.push(dequantizeBias(to, bias, xScale!, wScale!));
  quantize(to, to.add("Conv", inputs, node.attributes), yScale!, yZero);
}

/** Scales for each row of A lie along its last but one axis, for each column of B along its last. */
function qLinearMatMul(node: OnnxNode, to: Rewrite) {
  const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = node.inputs as string[];
  quantize(
    to,
    to.add("MatMul", [dequantize(to, a!, aScale!, aZero, -2), dequantize(to, b!, bScale!, bZero, -1)]),
    yScale!,
    yZero,
  );
}

/** A, B and C triples of com.microsoft.QLinearAdd and QLinearMul. */
function binary(op: "Add" | "Mul") {
  return (node: OnnxNode, to: Rewrite) => {
    const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = node.inputs as string[];
    quantize(to, to.add(op, [dequantize(to, a!, aScale!, aZero), dequantize(to, b!, bScale!, bZero)]), yScale!, yZero);
  };
}

function unary(op: string, attributesOf: (node: OnnxNode, to: Rewrite) => OnnxNode["attributes"] = () => ({})) {
  return (node: OnnxNode, to: Rewrite) => {
    const [x, xScale, xZero, yScale, yZero] = node.inputs as string[];
    quantize(to, to.add(op, [dequantize(to, x!, xScale!, xZero)], attributesOf(node, to)), yScale!, yZero);
  };
}

function channelsFirst(node: OnnxNode, to: Rewrite): OnnxNode["attributes"] {
  if (intOf(node, "channels_last", 0) !== 0) to.refuse("works on channels-last images, which ONNX operators do not");
  return without(node.attributes, "channels_last");
}

function qGemm(node: OnnxNode, to: Rewrite) {
  const [a, aScale, aZero, b, bScale, bZero, bias, yScale, yZero] = node.inputs as string[];
  const perColumn = intOf(node, "transB", 0) === 0 ? 1 : 0;
  const inputs = [dequantize(to, a!, aScale!, aZero), dequantize(to, b!, bScale!, bZero, perColumn)];
  if (bias) inputs.push(dequantizeBias(to, bias, aScale!, bScale!));
  // The bias is not multiplied by alpha.
  const { transA = int(0), transB = int(0) } = node.attributes;
  const gemm = to.add("Gemm", inputs, { alpha: float(floatOf(node, "alpha", 1)), transA, transB });
  if (yScale) quantize(to, gemm, yScale, yZero);
  else to.finish("Identity", [gemm]);
}

/** y_scale, y_zero_point, then a triple for each part. */
function qLinearConcat(node: OnnxNode, to: Rewrite) {
  const [yScale, yZero, ...parts] = node.inputs as string[];
  const values: string[] = [];
  for (let i = 0; i + 2 < parts.length; i += 3) values.push(dequantize(to, parts[i]!, parts[i + 1]!, parts[i + 2]));
  quantize(to, to.add("Concat", values, { axis: int(intOf(node, "axis", 0)) }), yScale!, yZero);
}

/** Since ONNX Runtime 1.12 the node says which opset's softmax it is. */
function qLinearSoftmax(node: OnnxNode, to: Rewrite) {
  const rank = to.scope.rank(node.inputs[0]!);
  const axis = intOf(node, "axis", -1);
  const isLast = axis === -1 || (rank !== undefined && axis === rank - 1);
  if (intOf(node, "opset", 13) < 13 && !isLast) to.refuse("flattens its input as opset 12 did; export the model with opset 13");
  unary("Softmax", () => ({ axis: int(axis) }))(node, to);
}

export const quantized: readonly Conversion[] = [
  { op: "QLinearConv", from: 10, to: newest, inputs: 8, convert: qLinearConv },
  { op: "QLinearMatMul", from: 10, to: newest, inputs: 8, convert: qLinearMatMul },
  { op: "QLinearAdd", ...microsoft, inputs: 7, omissible: [2, 5], convert: binary("Add") },
  { op: "QLinearMul", ...microsoft, inputs: 7, omissible: [2, 5], convert: binary("Mul") },
  { op: "QLinearSigmoid", ...microsoft, inputs: 4, omissible: [2], convert: unary("Sigmoid") },
  { op: "QLinearLeakyRelu", ...microsoft, inputs: 4, omissible: [2], convert: unary("LeakyRelu", (node) => node.attributes) },
  { op: "QLinearGlobalAveragePool", ...microsoft, inputs: 4, omissible: [2], convert: unary("GlobalAveragePool", channelsFirst) },
  { op: "QLinearAveragePool", ...microsoft, inputs: 4, omissible: [2], convert: unary("AveragePool", channelsFirst) },
  { op: "QLinearSoftmax", ...microsoft, inputs: 4, omissible: [2], convert: qLinearSoftmax },
  { op: "QLinearConcat", ...microsoft, inputs: 5, omissible: [1, 4], convert: qLinearConcat },
  { op: "QGemm", ...microsoft, inputs: 6, omissible: [2, 5], convert: qGemm },
  ...["QuantizeLinear", "DequantizeLinear"].map((op) => ({ op, ...microsoft, inputs: 2, convert: quantization })),
];
