import type { OriginalCase } from "../../testing/original-case.js";

export const normalizationOriginals: readonly OriginalCase[] = [
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
