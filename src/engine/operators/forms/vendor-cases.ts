import { float, int, ints, text } from "../../onnx/attribute-values.js";
import type { Attribute } from "../../onnx/model.js";
import { node } from "../../onnx/testing/small-model.js";
import { type Tensor, tensor } from "../../tensor/tensor.js";
import { bytes, type ConversionCase, f32, floats, i8, image, s, single, u8 } from "./case-parts.js";

const geluCases: ConversionCase[] = [
  ...["none", "tanh"].map((form) => single(`Gelu 20, ${form}`, 20, "Gelu", "", { approximate: text(form) }, { gone: ["Gelu"] })),
  single("com.microsoft Gelu", 14, "com.microsoft.Gelu", "", {}, { gone: ["Gelu"] }),
  single(
    "FastGelu",
    14,
    "com.microsoft.FastGelu",
    "b",
    {},
    { initializers: { b: f32([5]) }, gone: ["FastGelu"], tolerance: 1e-5 },
  ),
  single("BiasGelu", 14, "com.microsoft.BiasGelu", "b", {}, { initializers: { b: f32([5]) }, gone: ["BiasGelu"] }),
  single("QuickGelu", 14, "com.microsoft.QuickGelu", "", { alpha: float(1.5) }, { gone: ["QuickGelu"] }),
];

const fusedCases: ConversionCase[] = [
  ...(
    [
      ["Relu", []],
      ["LeakyRelu", [0.2]],
      ["HardSigmoid", [0.3, 0.4]],
      ["Clip", [-0.1, 0.3]],
    ] as const
  ).map(([kind, params]) =>
    single(
      `FusedConv with ${kind}`,
      14,
      "com.microsoft.FusedConv",
      "w b",
      { activation: text(kind), activation_params: floats(params) },
      {
        initializers: { w: f32([2, 4, 3, 3]), b: f32([2]) },
        gone: ["FusedConv"],
        tolerance: 1e-5,
      },
    ),
  ),
  single(
    "FusedMatMul",
    14,
    "com.microsoft.FusedMatMul",
    "w",
    { transA: int(1), transB: int(1), alpha: float(0.5) },
    {
      inputs: { x: ["float32", [2, 4, 3]] },
      initializers: { w: f32([2, 5, 4]) },
      gone: ["FusedMatMul"],
      tolerance: 1e-5,
    },
  ),
  {
    name: "SkipLayerNormalization",
    opset: 17,
    inputs: { x: ["float32", [1, 3, 8]] },
    outputs: { y: "float32", sum: "float32" },
    nodes: [node("com.microsoft.SkipLayerNormalization", "x k g b c", "y - - sum", { epsilon: float(1e-5) })],
    initializers: { k: f32([1, 3, 8]), g: f32([8]), b: f32([8]), c: f32([8]) },
    gone: ["SkipLayerNormalization"],
    tolerance: 1e-5,
  },
  single(
    "SimplifiedLayerNormalization",
    17,
    "SimplifiedLayerNormalization",
    "g",
    { epsilon: float(1e-5), axis: int(-1) },
    {
      initializers: { g: f32([5]) },
      gone: ["SimplifiedLayerNormalization"],
      tolerance: 1e-5,
    },
  ),
];

/** x quantized, the operator, and its output. */
function quantizedCase(
  name: string,
  op: string,
  rest: string,
  attributes: Record<string, Attribute>,
  initializers: Record<string, Tensor>,
): ConversionCase {
  return {
    name,
    opset: 13,
    inputs: image,
    outputs: { y: "uint8" },
    nodes: [node("QuantizeLinear", "x xs xz", "q"), node(op, rest, "y", attributes)],
    initializers: { xs: s(0.02), xz: u8(110), ys: s(0.03), yz: u8(90), ...initializers },
    gone: [op.split(".").at(-1)!],
    tolerance: 1,
  };
}

const weights = { w: bytes("int8", [3, 4, 3, 3]), ws: f32([3], [0.01, 0.02, 0.005]), wz: tensor("int8", [3]) };
const quantizedCases: ConversionCase[] = [
  quantizedCase(
    "QLinearConv for each channel",
    "QLinearConv",
    "q xs xz w ws wz ys yz b",
    { pads: ints([1, 1, 1, 1]) },
    {
      ...weights,
      b: tensor("int32", [3], [500, -400, 300]),
      ys: s(0.2),
    },
  ),
  quantizedCase(
    "QLinearMatMul",
    "QLinearMatMul",
    "q xs xz w ws wz ys yz",
    {},
    { w: bytes("int8", [5, 3]), ws: s(0.01), wz: i8(3) },
  ),
  quantizedCase("QLinearAdd", "com.microsoft.QLinearAdd", "q xs xz q xs xz ys yz", {}, {}),
  quantizedCase("QLinearMul", "com.microsoft.QLinearMul", "q xs xz q xs xz ys yz", {}, {}),
  quantizedCase("QLinearSigmoid", "com.microsoft.QLinearSigmoid", "q xs xz ys yz", {}, { ys: s(0.004), yz: u8(0) }),
  quantizedCase("QLinearLeakyRelu", "com.microsoft.QLinearLeakyRelu", "q xs xz ys yz", { alpha: float(0.1) }, {}),
  quantizedCase("QLinearGlobalAveragePool", "com.microsoft.QLinearGlobalAveragePool", "q xs xz ys yz", {}, {}),
  quantizedCase("QLinearAveragePool", "com.microsoft.QLinearAveragePool", "q xs xz ys yz", { kernel_shape: ints([2, 2]) }, {}),
  quantizedCase("QLinearConcat", "com.microsoft.QLinearConcat", "ys yz q xs xz q xs xz", { axis: int(1) }, {}),
  {
    ...quantizedCase(
      "QGemm",
      "com.microsoft.QGemm",
      "q xs xz w ws wz b ys yz",
      { transB: int(1) },
      {
        w: bytes("int8", [3, 5]),
        ws: f32([3], [0.01, 0.02, 0.005]),
        wz: tensor("int8", [3]),
        b: tensor("int32", [3], [50, -40, 30]),
      },
    ),
    inputs: { x: ["float32", [4, 5]] },
  },
];

/** Operators of other domains, and quantized ones, which are written as standard operators. */
export const vendorCases: readonly ConversionCase[] = [...geluCases, ...fusedCases, ...quantizedCases];
