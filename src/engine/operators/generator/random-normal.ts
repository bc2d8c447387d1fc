import { defineOperator, float, int, ints, required, zeroGradient } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { elementType } from "./element-type.js";

export const RandomNormal = defineOperator({
  name: "RandomNormal",
  random: true,
  inputs: [],
  outputs: ["output"],
  attributes: { dtype: int(1), mean: float(0), scale: float(1), seed: float(), shape: required(ints()) },
  infer: ({ attributes, fail }) => [{ type: elementType(attributes.dtype, "float32", fail), shape: attributes.shape }],
  range: finite,
  gradient: zeroGradient("it has no inputs"),
});
