import type { OriginalCase } from "../../testing/original-case.js";

/** Training mode. */
const byBatch = (x: readonly number[], attributes: object = {}): OriginalCase => ({
  name: `BatchNormalization by the batch's statistics: [${x}], ${JSON.stringify(attributes)}`,
  operator: "BatchNormalization",
  opset: 17,
  inputs: [x, ...Array.from({ length: 4 }, () => [x[1]!])],
  attributes: { training_mode: 1, ...attributes },
  outputs: ["float32", "float32", "float32"],
});

const overRootMeanSquares: readonly OriginalCase[] = [
  { inputs: [[2, 3, 6], [6]] },
  {
    inputs: [
      [2, 3, 6],
      [3, 6],
    ],
    attributes: { axis: 1, epsilon: 1e-3 },
  },
  { inputs: [[2, 3, 2, 4], [4]], attributes: { axis: -2 } },
].map(({ inputs, attributes = {} }) => ({
  name: `RMSNormalization: [${inputs[0]}], ${JSON.stringify(attributes)}`,
  operator: "RMSNormalization",
  opset: 23,
  inputs,
  attributes,
}));

export const normalizationOriginals: readonly OriginalCase[] = [
  ...overRootMeanSquares,
  byBatch([3, 4, 5]),
  byBatch([2, 3, 4, 3], { epsilon: 1e-3, momentum: 0.3 }),
  byBatch([6, 2]),
];
