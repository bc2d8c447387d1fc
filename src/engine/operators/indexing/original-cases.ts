import { tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

const scattered = (name: string, inputs: OriginalCase["inputs"], attributes: object = {}): OriginalCase => ({
  name: `TensorScatter: ${name}`,
  operator: "TensorScatter",
  opset: 24,
  inputs,
  attributes: { ...attributes },
});
const starts = tensor("int64", [2], [1, 3]);

export const indexingOriginals: readonly OriginalCase[] = [
  scattered("from the start", [
    [2, 3, 5, 4],
    [2, 3, 2, 4],
  ]),
  scattered("from places", [[2, 3, 5, 4], [2, 3, 2, 4], starts]),
  scattered("circular", [[2, 4, 3], [2, 2, 3], starts], { axis: 1, mode: "circular" }),
];
