import type { Value } from "../../graph/graph.js";
import { type DataType, tensor } from "../../tensor/tensor.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import { convInteger } from "../convolution/conv-integer.js";
import { cast } from "../elementwise/cast.js";
import { mul } from "../elementwise/mul.js";
import { matMulInteger } from "../linear/mat-mul-integer.js";
import * as q from "./index.js";

// Straight-through gradients are the slope of the staircase seen from afar: the difference is taken over many steps of it.
const afar = { step: 0.5, tolerance: 5e-2 } as const;
/** Inside [-2, 2] by more than any step, or far outside. */
const x = { x: { shape: [3, 4], values: [0.3, -0.4, 0.1, 9, -0.2, 0.25, -0.7, 0.5, -9, 0.15, 0.6, -0.1] } } as const;

const quantized = (type: DataType, scales: readonly number[], zeroPoints: readonly number[], axis = 1): OperatorCase => ({
  name: `QuantizeLinear: ${type}, ${scales.length === 1 ? "per tensor" : `along axis ${axis}`}`,
  operator: "QuantizeLinear",
  inputs: x,
  ...afar,
  build: ({ x }, graph) => {
    const shape = scales.length === 1 ? [] : [scales.length];
    const scale = graph.constant(tensor("float32", shape, scales));
    const zero = graph.constant(tensor(type, shape, zeroPoints));
    return q.dequantizeLinear(q.quantizeLinear(x!, scale, zero, axis), scale, zero, axis);
  },
});

export const quantizationCases: readonly OperatorCase[] = [
  quantized("uint8", [0.02], [128]),
  quantized("int8", [0.02], [-3]),
  quantized("int8", [0.02, 0.03, 0.025, 0.02], [0, 5, -5, 1]),
  quantized("uint8", [0.02, 0.025, 0.021], [128, 120, 130], 0),
  quantized("uint16", [1e-4], [32768]),
  quantized("int16", [1e-4, 1.5e-4, 1.2e-4, 1e-4], [0, 500, -500, 1]),
  {
    name: "QuantizeLinear: without zero point",
    operator: "QuantizeLinear",
    inputs: { x: { shape: [6], range: [2.2, 2.8] } },
    ...afar,
    build: ({ x }, graph) => {
      const scale = graph.constant(tensor("float32", [], [0.02]));
      return q.dequantizeLinear(q.quantizeLinear(x!, scale), scale);
    },
  },
  ...[[], [3]].map((shape) => ({
    name: `DequantizeLinear: scale ${shape.length === 0 ? "per tensor" : "per channel"}`,
    operator: "DequantizeLinear",
    inputs: { scale: { shape, range: [0.5, 1] as const } },
    build: ({ scale }: Readonly<Record<string, Value>>) => {
      const stored = scale!.graph.constant(tensor("int8", [2, 3, 1], [5, -100, 3, 0, 127, -6]));
      const zero = scale!.graph.constant(tensor("int8", shape, shape.length === 0 ? [3] : [3, 1, -2]));
      return q.dequantizeLinear(stored, scale!, zero);
    },
  })),
  {
    name: "DynamicQuantizeLinear and MatMulInteger",
    operator: "DynamicQuantizeLinear",
    inputs: { x: { shape: [3, 4], range: [-2, 2] } },
    ...afar,
    build: ({ x }, graph) => {
      const weight = graph.constant(tensor("int8", [4, 2], [45, -35, 30, 50, -25, -40, 60, 20]));
      const { y, scale, zeroPoint } = q.dynamicQuantizeLinear(x!);
      return mul(cast(matMulInteger(y, weight, zeroPoint), "float32"), mul(scale, 0.02));
    },
  },
  {
    name: "MatMulInteger: zero point per column",
    operator: "MatMulInteger",
    inputs: { x: { shape: [3, 4], range: [-2, 2] } },
    ...afar,
    build: ({ x }, graph) => {
      const weight = graph.constant(tensor("int8", [4, 2], [45, -35, 30, 50, -25, -40, 60, 20]));
      const scale = graph.constant(tensor("float32", [], [0.05]));
      const shifted = q.quantizeLinear(x!, scale, graph.constant(tensor("uint8", [], [128])));
      const center = graph.constant(tensor("uint8", [], [128]));
      return mul(cast(matMulInteger(shifted, weight, center, graph.constant(tensor("int8", [2], [10, -20]))), "float32"), 1e-3);
    },
  },
  ...(
    [
      [{}, "stride 1"],
      [{ strides: [2, 2], pads: [1, 0, 1, 1], group: 2 }, "stride 2, grouped"],
    ] as const
  ).map(
    ([options, mode]): OperatorCase => ({
      name: `ConvInteger: ${mode}`,
      operator: "ConvInteger",
      inputs: { x: { shape: [1, 4, 5, 6], range: [-2, 2] } },
      ...afar,
      build: ({ x }, graph) => {
        const channels = "group" in options ? 2 : 4;
        const size = 2 * channels * 9;
        const weights = Array.from({ length: size }, (_, i) => ((i * 37) % 113) - 56);
        const w = graph.constant(tensor("int8", [2, channels, 3, 3], weights));
        const { y, scale, zeroPoint } = q.dynamicQuantizeLinear(x!);
        const sums = convInteger(y, w, { x: zeroPoint, w: graph.constant(tensor("int8", [], [3])) }, options);
        return mul(cast(sums, "float32"), mul(scale, 0.01));
      },
    }),
  ),
];
