import { sizeOf, tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

const averagePool = (name: string, x: readonly number[], attributes: OriginalCase["attributes"] & object): OriginalCase => ({
  name: `AveragePool of opset 19: ${name}`,
  operator: "AveragePool",
  opset: 19,
  inputs: [x],
  attributes,
});

/** Three boxes on pictures of 6 x 7, one of them partly outside. */
const boxes = tensor("float32", [3, 4], [0.43, 0.83, 4.62, 3.87, 2.13, 1.37, 6.84, 6.53, -1.45, 1.91, 2.76, 9.13]);
const pictures = { constant: tensor("int64", [3], [1, 0, 1]) };
const roiAlign = (
  name: string,
  boxesInput: OriginalCase["inputs"][number],
  attributes: NonNullable<OriginalCase["attributes"]>,
): OriginalCase => ({
  name: `RoiAlign: ${name}`,
  operator: "RoiAlign",
  opset: 16,
  inputs: [[2, 3, 6, 7], boxesInput, pictures],
  attributes: { output_height: 2, output_width: 3, ...attributes },
  step: 1e-3,
});

const roiAligns = ["avg", "max"].flatMap((mode) =>
  ["half_pixel", "output_half_pixel"].flatMap((coordinate_transformation_mode) => {
    const how = { mode, coordinate_transformation_mode };
    const name = `${mode}, ${coordinate_transformation_mode}`;
    return [
      roiAlign(`${name}, boxes moving`, boxes, { ...how, sampling_ratio: mode === "avg" ? 2 : 1, spatial_scale: 0.9 }),
      roiAlign(`${name}, boxes fixed`, { constant: boxes }, { ...how, sampling_ratio: 2 }),
      roiAlign(`${name}, adaptive`, { constant: boxes }, { ...how, spatial_scale: 1.3 }),
      roiAlign(`${name}, adaptive, boxes moving`, boxes, { ...how, spatial_scale: 1.3 }),
    ];
  }),
);

const unpooled = (name: string, rest: OriginalCase["inputs"], attributes: object): OriginalCase => ({
  name: `MaxUnpool: ${name}`,
  operator: "MaxUnpool",
  opset: 11,
  inputs: [[1, 2, 2, 2], ...rest],
  attributes: { kernel_shape: [2, 2], ...attributes },
});
const places = (...values: number[]) => ({ constant: tensor("int64", [1, 2, 2, 2], values) });

/** Numbers of [-1, 1) in no order, no two of them nearer than 2 over their count: no step of a difference moves a maximum. */
function apart(shape: readonly number[]) {
  const count = sizeOf(shape);
  return tensor(
    "float32",
    shape,
    Array.from({ length: count }, (_, i) => (2 * ((i * 89) % count)) / count - 1),
  );
}

/** In what ONNX Runtime means by auto_pad: dilations are not counted, a window narrower than its stride crops, and ceil_mode may add one. */
const pools = (auto_pad: string): OriginalCase[] =>
  (
    [
      ["dilated", [9, 8], { kernel_shape: [3, 2], dilations: [2, 3] }],
      ["dilated, strides, ceil", [9, 8], { kernel_shape: [3, 2], dilations: [2, 2], strides: [2, 3], ceil_mode: 1 }],
      ["that crops", [9, 14], { kernel_shape: [1, 2], strides: [3, 6] }],
      ["that crops, dilated, ceil", [11, 12], { kernel_shape: [1, 2], strides: [5, 4], dilations: [1, 3], ceil_mode: 1 }],
    ] as const
  ).flatMap(([name, spatial, attributes]) =>
    (["AveragePool", "LpPool", "MaxPool"] as const).map((operator) => ({
      name: `${operator}: ${auto_pad}, ${name}`,
      operator,
      opset: 19,
      inputs: [apart([1, 2, ...spatial])],
      attributes: { ...attributes, auto_pad },
      ...(operator === "MaxPool" && { outputs: ["float32", "int64"] as const, step: 2e-4 }),
    })),
  );

export const poolingOriginals: readonly OriginalCase[] = [
  unpooled("strides", [places(0, 3, 9, 14, 16, 18, 25, 31)], { strides: [2, 2] }),
  unpooled("pads", [places(0, 2, 3, 5, 6, 7, 8, 9)], { strides: [2, 2], pads: [1, 1, 0, 0] }),
  unpooled("output shape", [places(0, 3, 9, 24, 25, 30, 33, 49), { constant: tensor("int64", [4], [1, 2, 5, 5]) }], {
    strides: [2, 2],
  }),
  ...roiAligns,
  {
    ...roiAlign("one picture", boxes, { sampling_ratio: 1 }),
    inputs: [[1, 2, 6, 7], boxes, { constant: tensor("int64", [3], [0, 0, 0]) }],
  },
  averagePool("dilations of 1", [1, 2, 6, 7], { kernel_shape: [3, 2], dilations: [1, 1], pads: [1, 0, 1, 1] }),
  averagePool("1-D", [2, 3, 11], { kernel_shape: [3], dilations: [2], pads: [1, 1] }),
  averagePool("dilated", [1, 2, 9, 8], { kernel_shape: [3, 2], dilations: [2, 3], pads: [1, 1, 2, 0] }),
  averagePool("dilated, padding counted", [1, 2, 9, 8], {
    kernel_shape: [3, 2],
    dilations: [2, 3],
    pads: [1, 1, 2, 0],
    count_include_pad: 1,
  }),
  averagePool("dilated, stride 2, ceil", [1, 2, 9, 8], {
    kernel_shape: [3, 2],
    dilations: [2, 2],
    strides: [2, 2],
    pads: [1, 0, 1, 1],
    ceil_mode: 1,
  }),
  averagePool("dilated, stride 2, ceil, padding counted", [1, 2, 9, 8], {
    kernel_shape: [3, 2],
    dilations: [2, 2],
    strides: [3, 2],
    pads: [1, 0, 1, 1],
    ceil_mode: 1,
    count_include_pad: 1,
  }),
  averagePool("dilated 3-D", [1, 2, 6, 7, 5], { kernel_shape: [2, 3, 2], dilations: [2, 1, 3], strides: [1, 2, 1] }),
  ...["SAME_UPPER", "SAME_LOWER", "VALID"].flatMap((auto_pad) => pools(auto_pad)),
  ...(["AveragePool", "MaxPool", "LpPool"] as const).map(
    (operator): OriginalCase => ({
      name: `${operator}: a window longer than its axis, by less than a stride`,
      operator,
      opset: 19,
      inputs: [[1, 2, 2, 5]],
      attributes: { kernel_shape: [3, 4], strides: [2, 3] },
    }),
  ),
  averagePool("dilated, VALID", [1, 2, 6, 7], { kernel_shape: [2, 3], dilations: [2, 1], auto_pad: "VALID" }),
];
