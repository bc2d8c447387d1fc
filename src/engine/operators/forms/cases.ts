import { float, int, ints, text } from "../../onnx/attribute-values.js";
import { node, smallGraph } from "../../onnx/testing/small-model.js";
import { tensor } from "../../tensor/tensor.js";

import { type ConversionCase, f32, floats, image, int64, positive, single, y } from "./case-parts.js";

import { vendorCases } from "./vendor-cases.js";

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
  {
    name: "BatchNormalization 9, in training as all its outputs say",
    opset: 9,
    inputs: image,
    outputs: { y: "float32", mean: "float32", variance: "float32" },
    nodes: [node("BatchNormalization", "x s b m v", "y mean variance m2 v2", { epsilon: float(1e-3), momentum: float(0.8) })],
    initializers: { s: f32([4]), b: f32([4]), m: f32([4]), v: positive(4) },
    gone: ["BatchNormalization"],
    tolerance: 1e-5,
  },
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
];

const targets: ConversionCase["inputs"] = { x: ["float32", [3, 2, 4]], t: ["int64", [3, 4]] };
const losses: ConversionCase[] = ["none", "sum", "mean"].flatMap((reduction): ConversionCase[] => [
  single(
    `SoftmaxCrossEntropyLoss, ${reduction}`,
    13,
    "SoftmaxCrossEntropyLoss",
    "t",
    { reduction: text(reduction) },
    { inputs: targets, gone: ["SoftmaxCrossEntropyLoss"] },
  ),
  single(
    `NegativeLogLikelihoodLoss, ${reduction}, weighted, one class ignored`,
    13,
    "NegativeLogLikelihoodLoss",
    "t w",
    { reduction: text(reduction), ignore_index: int(1) },
    { inputs: targets, initializers: { w: positive(2) }, gone: ["NegativeLogLikelihoodLoss"] },
  ),
]);

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

/** One model for each conversion. */
export const conversionCases: readonly ConversionCase[] = [
  ...losses,
  ...upsampling,
  ...argumentCases,
  ...softmaxCases,
  ...normalizationCases,
  ...unchanged,
  ...typeCases,
  ...vendorCases,
];
