import type { OriginalCase } from "../../testing/original-case.js";

export const activationOriginals: readonly OriginalCase[] = [{}, { alpha: 1.7 }].map((attributes) => ({
  name: `Swish ${JSON.stringify(attributes)}`,
  operator: "Swish",
  opset: 24,
  inputs: [[2, 5]],
  attributes,
}));
