import { defineOperator, float, int, zeroGradient } from "../../graph/operator.js";
import { elementType } from "./element-type.js";

export const Multinomial = defineOperator({
  name: "Multinomial",
  random: true,
  inputs: ["input"],
  outputs: ["output"],
  attributes: { dtype: int(6), sample_size: int(1), seed: float() },
  infer: ({ inputs: [x], attributes, fail }) => {
    if (x.shape.length !== 2) fail("its input must be [batch, classes]");
    return [{ type: elementType(attributes.dtype, "int32", fail), shape: [x.shape[0]!, attributes.sample_size] }];
  },
  gradient: zeroGradient("a draw is piecewise constant in its log-probabilities"),
});
