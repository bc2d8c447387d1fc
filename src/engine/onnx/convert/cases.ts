import { allocate, type DataType, sizeOf, type Tensor, tensor } from "../../tensor/tensor.js";
import type { Attribute } from "../model.js";
import { node, type SmallModel, smallGraph } from "../testing/small-model.js";
import { float, int, ints, text } from "./conversion.js";

/** For tests: one model for each conversion. ONNX Runtime runs it as it stands and as converted, and the two must agree. */
export interface ConversionCase extends SmallModel {
  readonly name: string;
  /** Operators that must not be left. */
  readonly gone?: readonly string[];
  /** Largest difference allowed, absolute and in proportion; default 1e-6. Quantised outputs may differ by one step. */
  readonly tolerance?: number;
}

const image: SmallModel["inputs"] = { x: ["float32", [1, 4, 6, 5]] };
const y = { y: "float32" } as const;
const floats = (value: readonly number[]): Attribute => ({ kind: "floats", value });
const int64 = (...values: number[]) => tensor("int64", [values.length], values.map(BigInt));
const f32 = (shape: readonly number[], values?: readonly number[]): Tensor =>
  tensor("float32", shape, values ?? Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1.7 * i + 0.4)));
const positive = (n: number) =>
  f32(
    [n],
    Array.from({ length: n }, (_, i) => 0.5 + 0.3 * i),
  );
const bytes = (type: DataType, shape: readonly number[]): Tensor => {
  const data = allocate(type, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 73) % 200) - (type === "int8" ? 100 : 0);
  return { type, shape, data };
};
const s = (value: number) => f32([], [value]);
const u8 = (value: number) => tensor("uint8", [], [value]);
const i8 = (value: number) => tensor("int8", [], [value]);

/** A model of one node from x (and further constants) to y. */
function single(
  name: string,
  opset: number,
  op: string,
  rest: string,
  attributes: Record<string, Attribute>,
  more: Partial<ConversionCase> = {},
): ConversionCase {
  return { name, opset, inputs: image, outputs: y, nodes: [node(op, `x ${rest}`, "y", attributes)], ...more };
}

const upsampling: ConversionCase[] = [
  ...["nearest", "linear"].map((mode) =>
    single(`Upsample 7, ${mode}`, 7, "Upsample", "", { mode: text(mode), scales: floats([1, 1, 2, 3]) }, { gone: ["Upsample"] }),
  ),
  single(
    "Upsample 9",
    9,
    "Upsample",
    "s",
    { mode: text("linear") },
    { initializers: { s: f32([4], [1, 1, 1.5, 2]) }, gone: ["Upsample"] },
  ),
  ...["floor", "round_prefer_floor"].map((mode) =>
    single(
      `Resize 11, TensorFlow's half pixels, ${mode}`,
      11,
      "Resize",
      "r s",
      { coordinate_transformation_mode: text("tf_half_pixel_for_nn"), nearest_mode: text(mode) },
      { initializers: { r: f32([0]), s: f32([4], [1, 1, 1.7, 0.6]) } },
    ),
  ),
  single(
    "Resize 19, symmetric half pixels",
    19,
    "Resize",
    "- - s",
    { mode: text("linear"), coordinate_transformation_mode: text("half_pixel_symmetric") },
    { initializers: { s: int64(1, 4, 9, 4) } },
  ),
  single("Resize 10, stretching", 10, "Resize", "s", {}, { initializers: { s: f32([4], [1, 1, 2, 1.7]) } }),
  single("Resize 10, shrinking", 10, "Resize", "s", {}, { initializers: { s: f32([4], [1, 1, 0.6, 0.7]) } }),
  single("Resize 10, linear", 10, "Resize", "s", { mode: text("linear") }, { initializers: { s: f32([4], [1, 1, 0.5, 1.7]) } }),
  single(
    "Resize 11, scales",
    11,
    "Resize",
    "r s",
    { mode: text("linear") },
    { initializers: { r: f32([0]), s: f32([4], [1, 1, 2, 2]) } },
  ),
  single(
    "Resize 11, sizes",
    11,
    "Resize",
    "r s z",
    { mode: text("cubic") },
    {
      initializers: { r: f32([0]), s: f32([0]), z: int64(1, 4, 9, 11) },
    },
  ),
  single(
    "RoiAlign 10",
    10,
    "RoiAlign",
    "r b",
    { output_height: int(2), output_width: int(3), sampling_ratio: int(2) },
    {
      initializers: { r: f32([1, 4], [0.4, 0.2, 4.2, 3.9]), b: int64(0) },
    },
  ),
  single("GridSample 20", 20, "GridSample", "g", { mode: text("cubic") }, { initializers: { g: f32([1, 3, 3, 2]) } }),
];

const argumentCases: ConversionCase[] = [
  single("Slice 7", 7, "Slice", "", { starts: ints([1, -4]), ends: ints([2 ** 63, -1]), axes: ints([1, 2]) }),
  single("Slice 7 without axes", 7, "Slice", "", { starts: ints([0, 1]), ends: ints([1, 3]) }),
  single("Pad 7", 7, "Pad", "", { pads: ints([0, 0, 1, 2, 0, 0, 0, 1]), value: float(1.5) }),
  single("Pad 7, reflect", 7, "Pad", "", { pads: ints([0, 0, 1, 2, 0, 0, 0, 1]), mode: text("reflect") }),
  single("Clip 7", 7, "Clip", "", { min: float(-0.5), max: float(0.75) }),
  single("Clip 7, one side", 7, "Clip", "", { max: float(0.75) }),
  single(
    "Pad 7 in float64",
    7,
    "Pad",
    "",
    { pads: ints([0, 1, 1, 0]), value: float(0.5) },
    { inputs: { x: ["float64", [3, 3]] }, outputs: { y: "float64" } },
  ),
  single("Unsqueeze 7", 7, "Unsqueeze", "", { axes: ints([0, 3]) }),
  single("Squeeze 7", 7, "Squeeze", "", { axes: ints([0]) }),
  single("Squeeze 7 without axes", 7, "Squeeze", "", {}),
  ...[
    "ReduceSum",
    "ReduceMean",
    "ReduceL1",
    "ReduceL2",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceSumSquare",
    "ReduceLogSumExp",
  ].map((op) => single(`${op} 7`, 7, op, "", { axes: ints([1, 3]), keepdims: int(0) }, { tolerance: 1e-5 })),
  single("ReduceMean 13 of all axes", 13, "ReduceMean", "", { keepdims: int(0) }),
  {
    name: "ReduceMax 20 of booleans",
    opset: 20,
    inputs: { x: ["bool", [3, 4]] },
    outputs: { y: "bool" },
    nodes: [node("ReduceMax", "x a", "y", { keepdims: int(0) })],
    initializers: { a: int64(1) },
  },
  {
    name: "Split 7 by sizes",
    opset: 7,
    inputs: image,
    outputs: { a: "float32", b: "float32" },
    nodes: [node("Split", "x", "a b", { axis: int(1), split: ints([1, 3]) })],
  },
  {
    name: "Split 13 in equal parts",
    opset: 13,
    inputs: image,
    outputs: { a: "float32", b: "float32" },
    nodes: [node("Split", "x", "a b", { axis: int(2) })],
  },
  single("Dropout 7", 7, "Dropout", "", { ratio: float(0.3) }),
  {
    name: "Dropout 7 with a mask that nothing reads",
    opset: 7,
    inputs: image,
    outputs: y,
    nodes: [node("Dropout", "x", "y m")],
  },
  single("Dropout 10", 10, "Dropout", "", {}),
  {
    name: "TopK 7",
    opset: 7,
    inputs: image,
    outputs: { y: "float32", i: "int64" },
    nodes: [node("TopK", "x", "y i", { k: int(2), axis: int(2) })],
  },
  ...[1, -2].map((axis) =>
    single(
      `DFT 20 along ${axis}`,
      20,
      "DFT",
      "- a",
      { onesided: int(1) },
      {
        inputs: { x: ["float32", [1, 6, 4, 1]] },
        initializers: { a: tensor("int64", [], [BigInt(axis)]) },
        tolerance: 1e-5,
      },
    ),
  ),
];

const softmaxCases: ConversionCase[] = ["Softmax", "LogSoftmax", "Hardmax"].flatMap((op) => [
  single(`${op} 7, flattening`, 7, op, "", {}, { tolerance: 1e-5 }),
  single(`${op} 11, negative axis`, 11, op, "", { axis: int(-2) }, { tolerance: 1e-5 }),
  single(`${op} 7 of a matrix`, 7, op, "", {}, { inputs: { x: ["float32", [3, 5]] }, gone: ["Flatten"] }),
  single(`${op} 7 on the last axis`, 7, op, "", { axis: int(3) }, { gone: ["Flatten"] }),
]);

const normalizationCases: ConversionCase[] = [
  single(
    "BatchNormalization 7",
    7,
    "BatchNormalization",
    "s b m v",
    { epsilon: float(1e-3), spatial: int(1) },
    {
      initializers: { s: f32([4]), b: f32([4]), m: f32([4]), v: positive(4) },
    },
  ),
  single(
    "GroupNormalization 21",
    21,
    "GroupNormalization",
    "s b",
    { num_groups: int(2), epsilon: float(1e-3) },
    {
      initializers: { s: f32([4]), b: f32([4]) },
      gone: ["GroupNormalization"],
      tolerance: 1e-5,
    },
  ),
  single(
    "GroupNormalization 21, computed scale",
    21,
    "GroupNormalization",
    "s b",
    { num_groups: int(2) },
    { inputs: { ...image, s: ["float32", [4]], b: ["float32", [4]] }, gone: ["GroupNormalization"], tolerance: 1e-5 },
  ),
  single("Pad 19, wrap", 19, "Pad", "p", { mode: text("wrap") }, { initializers: { p: int64(0, 3, 2, 0, 0, 0, 1, 0) } }),
  single(
    "Pad 19, wrap named axes",
    19,
    "Pad",
    "p - a",
    { mode: text("wrap") },
    { initializers: { p: int64(3, 5, 2, 0), a: int64(-1, 2) } },
  ),
  single("AveragePool 19", 19, "AveragePool", "", { kernel_shape: ints([2, 2]), dilations: ints([1, 1]), ceil_mode: int(1) }),
];

/** Operators whose older forms mean the same in opset 18. */
const unchanged: ConversionCase[] = [
  single("MaxPool 8", 8, "MaxPool", "", { kernel_shape: ints([2, 2]), auto_pad: text("SAME_UPPER") }),
  single("AveragePool 7", 7, "AveragePool", "", {
    kernel_shape: ints([2, 2]),
    count_include_pad: int(1),
    pads: ints([1, 1, 0, 0]),
  }),
  single("LpPool 11", 11, "LpPool", "", { kernel_shape: ints([2, 2]), p: int(3) }),
  single("Flatten 7", 7, "Flatten", "", { axis: int(2) }),
  single("PRelu 7", 7, "PRelu", "s", {}, { initializers: { s: f32([4, 1, 1]) } }),
  single("DepthToSpace 7", 7, "DepthToSpace", "", { blocksize: int(2) }),
  single("ArgMax 7", 7, "ArgMax", "", { axis: int(1), keepdims: int(0) }, { outputs: { y: "int64" } }),
  single("Reshape 7", 7, "Reshape", "s", {}, { initializers: { s: int64(0, -1) } }),
  single("Equal 11", 11, "Equal", "x", {}, { outputs: { y: "bool" } }),
  single("LRN 7", 7, "LRN", "", { size: int(3) }),
  single(
    "Gemm 7",
    7,
    "Gemm",
    "w b",
    { transB: int(1), alpha: float(0.5) },
    {
      inputs: { x: ["float32", [3, 5]] },
      initializers: { w: f32([2, 5]), b: f32([2]) },
    },
  ),
  single(
    "LSTM 7",
    7,
    "LSTM",
    "w r",
    { hidden_size: int(3) },
    {
      inputs: { x: ["float32", [4, 1, 5]] },
      initializers: { w: f32([1, 12, 5]), r: f32([1, 12, 3]) },
    },
  ),
  {
    name: "OneHot 9",
    opset: 9,
    inputs: { x: ["int64", [3]] },
    outputs: { y: "float32" },
    nodes: [node("OneHot", "x d v", "y", { axis: int(-1) })],
    initializers: { d: tensor("int64", [], [4n]), v: f32([2], [0.1, 0.9]) },
  },
];

const typeCases: ConversionCase[] = [
  single("Cast 19", 19, "Cast", "", { to: int(6), saturate: int(1) }, { outputs: { y: "int32" } }),
  {
    name: "QuantizeLinear and DequantizeLinear 19 with scales of float16",
    opset: 19,
    inputs: { x: ["float16", [2, 3]] },
    outputs: { y: "float16" },
    nodes: [node("QuantizeLinear", "x s z", "q", { saturate: int(1) }), node("DequantizeLinear", "q s z", "y")],
    initializers: { s: tensor("float16", [], [0.03125]), z: u8(120) },
  },
  {
    name: "QuantizeLinear 21 by output type",
    opset: 21,
    inputs: image,
    outputs: y,
    nodes: [node("QuantizeLinear", "x s", "q", { output_dtype: int(3) }), node("DequantizeLinear", "q s", "y")],
    initializers: { s: s(0.02) },
  },
  single(
    "Scatter 9",
    9,
    "Scatter",
    "i u",
    { axis: int(3) },
    {
      initializers: { i: tensor("int64", [1, 1, 1, 2], [0n, 3n]), u: f32([1, 1, 1, 2]) },
      gone: ["Scatter"],
    },
  ),
  {
    name: "Constant in every form",
    opset: 13,
    inputs: { x: ["float32", [2]] },
    outputs: { y: "float32", n: "int64" },
    nodes: [
      node("Constant", "", "a", { value_float: float(2.5) }),
      node("Constant", "", "b", { value_floats: floats([1, 2]) }),
      node("Constant", "", "c", { value: { kind: "tensor", value: f32([1], [0.5]) } }),
      node("Constant", "", "d", { value_int: int(7) }),
      node("Constant", "", "e", { value_ints: ints([3, 4]) }),
      node("Sum", "x a b c", "y"),
      node("Add", "d e", "n"),
    ],
    gone: ["Constant"],
  },
  {
    name: "If with old operators inside",
    opset: 9,
    inputs: { x: ["float32", [2, 3]], c: ["bool", []] },
    outputs: y,
    nodes: [
      node("If", "c", "y", {
        then_branch: {
          kind: "graph",
          value: smallGraph({ inputs: {}, outputs: { t: "float32" }, nodes: [node("Clip", "x", "t", { min: float(0) })] }),
        },
        else_branch: {
          kind: "graph",
          value: smallGraph({
            inputs: {},
            outputs: { e: "float32" },
            nodes: [node("Slice", "x", "e", { starts: ints([0]), ends: ints([2 ** 63]) })],
          }),
        },
      }),
    ],
  },
];

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

/** x quantised, the operator, and its output. */
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
  {
    ...quantizedCase("ConvInteger", "ConvInteger", "q w xz", {}, { w: bytes("int8", [3, 4, 3, 3]) }),
    outputs: { y: "int32" },
    tolerance: 0,
  },
  {
    ...quantizedCase("MatMulInteger", "MatMulInteger", "q w xz wz", {}, { w: bytes("int8", [5, 3]), wz: i8(2) }),
    outputs: { y: "int32" },
    tolerance: 0,
  },
];

export const conversionCases: readonly ConversionCase[] = [
  ...upsampling,
  ...argumentCases,
  ...softmaxCases,
  ...normalizationCases,
  ...unchanged,
  ...typeCases,
  ...geluCases,
  ...fusedCases,
  ...quantizedCases,
];
