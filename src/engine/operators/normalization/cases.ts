import type { Value } from "../../graph/graph.js";
import type { OperatorCase } from "../../testing/operator-case.js";
import * as n from "./index.js";
import { LayerNormalization } from "./layer-normalization.js";

const image = { x: { shape: [2, 3, 4, 2] } } as const;
const affine = { scale: { shape: [3], range: [0.5, 1.5] }, bias: { shape: [3] } } as const;
const statistics = { mean: { shape: [3] }, variance: { shape: [3], range: [0.5, 1.5] } } as const;
type Inputs = Readonly<Record<string, Value>>;

export const normalizationCases: readonly OperatorCase[] = [
  ...[
    [2, 3, 4, 2],
    [4, 3],
    [2, 3, 5],
  ].map((shape) => ({
    name: `BatchNormalization: [${shape.join(", ")}]`,
    operator: "BatchNormalization",
    inputs: { x: { shape }, ...affine, ...statistics },
    build: ({ x, scale, bias, mean, variance }: Inputs) => n.batchNormalization(x!, scale!, bias!, mean!, variance!, 1e-3),
  })),
  ...[
    [2, 3, 4, 2],
    [2, 3, 5],
  ].map((shape) => ({
    name: `InstanceNormalization: [${shape.join(", ")}]`,
    operator: "InstanceNormalization",
    inputs: { x: { shape }, ...affine },
    build: ({ x, scale, bias }: Inputs) => n.instanceNormalization(x!, scale!, bias!, 1e-3),
  })),
  {
    name: "LayerNormalization: last axis",
    operator: "LayerNormalization",
    inputs: { x: { shape: [2, 4, 6] }, scale: { shape: [6] }, bias: { shape: [6] } },
    build: ({ x, scale, bias }) => n.layerNormalization(x!, scale!, bias!),
  },
  {
    name: "LayerNormalization: axis 1, without bias",
    operator: "LayerNormalization",
    inputs: { x: { shape: [2, 4, 6] }, scale: { shape: [4, 6] } },
    build: ({ x, scale }) => n.layerNormalization(x!, scale!, undefined, 1, 1e-3),
  },
  {
    name: "LayerNormalization: axis -2 of four",
    operator: "LayerNormalization",
    inputs: { x: { shape: [2, 2, 3, 4] }, scale: { shape: [3, 4] }, bias: { shape: [3, 4] } },
    build: ({ x, scale, bias }) => n.layerNormalization(x!, scale!, bias!, -2),
  },
  {
    name: "LayerNormalization: all three outputs",
    operator: "LayerNormalization",
    inputs: { x: { shape: [2, 4, 6] }, scale: { shape: [6] } },
    build: ({ x, scale }, graph) => graph.add(LayerNormalization, [x, scale], {}, { outputCount: 3 }),
  },
  ...[1, 3, 5, 7].map((size) => ({
    name: `LRN: window of ${size}`,
    operator: "LRN",
    inputs: { x: { shape: [2, 6, 2, 3] } },
    build: ({ x }: Inputs) => n.lrn(x!, size, { alpha: 0.8, beta: 0.6, bias: 1.2 }),
  })),
  ...([1, 2] as const).flatMap((p) =>
    [-1, 1].map((axis) => ({
      name: `LpNormalization: p ${p}, axis ${axis}`,
      operator: "LpNormalization",
      inputs: { x: { shape: [2, 3, 4], range: [0.3, 1] as const } },
      build: ({ x }: Inputs) => n.lpNormalization(x!, axis, p),
    })),
  ),
  {
    name: "MeanVarianceNormalization",
    operator: "MeanVarianceNormalization",
    inputs: image,
    build: ({ x }) => n.meanVarianceNormalization(x!),
  },
  {
    name: "MeanVarianceNormalization: over pixels",
    operator: "MeanVarianceNormalization",
    inputs: image,
    build: ({ x }) => n.meanVarianceNormalization(x!, [2, 3]),
  },
];
