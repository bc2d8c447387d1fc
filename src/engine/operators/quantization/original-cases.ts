import { elementTypes } from "../../onnx/schema.js";
import { type DataType, type Shape, sizeOf, type Tensor, tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

/** A constant of the file: the given numbers over and over. */
const constant = (type: DataType, shape: Shape, values: readonly number[]) => ({ constant: filled(type, shape, values) });
const filled = (type: DataType, shape: Shape, values: readonly number[]): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]!),
  );

const scales = [0.02, 0.03, 0.015];
/** Some of it within the range of 8 bits, some beyond. */
const image = filled("float32", [2, 5, 3], [0.31, -0.42, 1.17, -3.9, 9, 0.055, -9, 0.7]);
const numberOf = (type: string) => elementTypes.indexOf(type as (typeof elementTypes)[number]);

const quantize = (
  name: string,
  type: DataType,
  inputs: OriginalCase["inputs"],
  attributes: OriginalCase["attributes"] & object = {},
  opset = 21,
): OriginalCase => ({ name: `QuantizeLinear: ${name}`, operator: "QuantizeLinear", opset, inputs, attributes, outputs: [type] });

const dequantize = (
  name: string,
  inputs: OriginalCase["inputs"],
  attributes: OriginalCase["attributes"] & object = {},
  outputs: readonly DataType[] = ["float32"],
): OriginalCase => ({ name: `DequantizeLinear: ${name}`, operator: "DequantizeLinear", opset: 21, inputs, attributes, outputs });

const half = (t: Tensor): Tensor => tensor("float16", t.shape, t.data as Float32Array);

const microsoft = (
  name: string,
  operator: string,
  inputs: OriginalCase["inputs"],
  more: Partial<OriginalCase> = {},
): OriginalCase => ({ name: `${operator}: ${name}`, operator: `com.microsoft.${operator}`, opset: 18, inputs, ...more });

/** Within 7 bits: on processors without VNNI, ONNX Runtime's products of uint8 and int8 saturate beyond. */
const weights = constant("int8", [6, 4], [45, -35, 30, 50, -25, -40, 60, 20, -63, 7, 13]);
const codes = Array.from({ length: 251 }, (_, i) => (i * 89) % 256);

/** A `[2, K]` times weights of so many bits. */
const nBits = (
  name: string,
  { K, N, bits = 4, block_size }: { readonly K: number; readonly N: number; readonly bits?: number; readonly block_size: number },
  rest: OriginalCase["inputs"] = [],
): OriginalCase => {
  const blocks = Math.ceil(K / block_size);
  return microsoft(
    name,
    "MatMulNBits",
    [
      [2, K],
      constant("uint8", [N, blocks, (block_size * bits) / 8], codes),
      constant("float32", [N * blocks], [0.02, 0.03, 0.015, 0.025, 0.01]),
      ...rest,
    ],
    { attributes: { K, N, bits, block_size }, tolerance: 1e-4 },
  );
};

export const quantizationOriginals: readonly OriginalCase[] = [
  ...(["uint16", "int16"] as const).flatMap((type) => [
    quantize(`to ${type}`, type, [image, constant("float32", [], [1e-4]), constant(type, [], [300])]),
    quantize(`to ${type} along an axis`, type, [
      image,
      constant("float32", [5], [1e-4, 2e-4, 5e-5]),
      constant(type, [5], [0, 300, 20000]),
    ]),
    dequantize(`of ${type}`, [
      filled(type, [2, 3], [5, 30000, 700]),
      constant("float32", [3], scales),
      constant(type, [3], [3, 1000, 0]),
    ]),
  ]),
  quantize("to int8 by output type", "int8", [image, constant("float32", [5], scales)], { output_dtype: numberOf("int8") }),
  quantize("to uint16 by output type", "uint16", [image, constant("float32", [], [1e-4])], { output_dtype: numberOf("uint16") }),
  quantize("of float16", "uint8", [half(image), constant("float16", [], [0.03125]), constant("uint8", [], [120])]),
  quantize("in blocks", "int8", [image, constant("float32", [2, 3, 3], scales), constant("int8", [2, 3, 3], [0, 5, -7])], {
    axis: 1,
    block_size: 2,
  }),
  quantize(
    "in whole blocks",
    "uint16",
    [
      filled("float32", [2, 4, 3], [0.31, -0.42, 1.17, -0.9]),
      constant("float32", [2, 2, 3], [1e-4, 3e-4, 2e-4]),
      constant("uint16", [2, 2, 3], [20000, 100]),
    ],
    { axis: -2, block_size: 2 },
  ),
  dequantize(
    "in blocks",
    [
      filled("int8", [2, 5, 3], [5, -100, 3, 0, 127, -6, 40]),
      constant("float32", [2, 3, 3], scales),
      constant("int8", [2, 3, 3], [0, 5, -7]),
    ],
    { axis: 1, block_size: 2 },
  ),
  dequantize(
    "in whole blocks along the last axis",
    [filled("uint8", [3, 8], [5, 100, 3, 0, 255, 6, 40]), constant("float32", [3, 2], scales)],
    { axis: -1, block_size: 4 },
  ),
  dequantize(
    "into float16",
    [filled("uint8", [3, 4], [5, 100, 3, 0, 255, 6, 40]), constant("float16", [4], scales), constant("uint8", [4], [3, 128])],
    {},
    ["float16"],
  ),
  ...[[], [constant("int8", [], [3]), constant("float32", [4], [0.5, -0.3])]].map((rest, i) =>
    microsoft(
      i === 0 ? "plain" : "with zero point and bias",
      "DynamicQuantizeMatMul",
      [
        [3, 6],
        weights,
        constant("float32", i === 0 ? [] : [4], [0.02, 0.01]),
        ...(i === 0 ? [] : [constant("int8", [4], [3, -2])]),
        ...rest.slice(1),
      ],
      { step: 0.5 },
    ),
  ),
  microsoft("plain", "MatMulIntegerToFloat", [
    filled("uint8", [2, 3, 6], [5, 250, 130, 17, 99]),
    weights,
    constant("float32", [], [0.02]),
    constant("float32", [], [0.01]),
  ]),
  microsoft("with zero points and bias", "MatMulIntegerToFloat", [
    filled("uint8", [3, 6], [5, 250, 130, 17, 99]),
    weights,
    constant("float32", [], [0.02]),
    constant("float32", [4], [0.01, 0.03]),
    constant("uint8", [], [120]),
    constant("int8", [4], [3, 0, -5]),
    constant("float32", [4], [0.5, -0.3, 0.2]),
  ]),
  nBits("4 bits", { K: 32, N: 3, block_size: 16 }),
  nBits("8 bits", { K: 32, N: 3, bits: 8, block_size: 16 }),
  nBits("4 bits, the last block cut short, zero points", { K: 40, N: 3, block_size: 16 }, [
    constant("uint8", [6], codes.slice(3)),
  ]),
  nBits("2 bits, zero points", { K: 32, N: 3, bits: 2, block_size: 16 }, [constant("uint8", [3], codes.slice(3))]),
  nBits("zero points as numbers", { K: 32, N: 3, block_size: 16 }, [constant("float32", [3, 2], [7.5, 8, 3.25])]),
  nBits("bias", { K: 32, N: 3, block_size: 16 }, [undefined, undefined, constant("float32", [3], [0.5, -0.3, 0.2])]),
  microsoft(
    "broadcast",
    "QLinearWhere",
    [
      filled("bool", [2, 3], [1, 0, 0, 1, 1]),
      filled("uint8", [2, 3], [5, 250, 130, 17, 99]),
      constant("float32", [], [0.02]),
      constant("uint8", [], [120]),
      filled("uint8", [3], [5, 250, 130, 17, 99]),
      constant("float32", [], [0.01]),
      constant("uint8", [], [90]),
      constant("float32", [], [0.02]),
      constant("uint8", [], [100]),
    ],
    { outputs: ["uint8"], tolerance: 1 },
  ),
];
