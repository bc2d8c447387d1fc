import { defineOperator, int, zeroGradient } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { elementType } from "./element-type.js";

export const EyeLike = defineOperator({
  name: "EyeLike",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { dtype: int(), k: int(0) },
  infer: ({ inputs: [x], attributes, fail }) => {
    if (x.shape.length !== 2) fail("its input must be a matrix");
    return [{ type: elementType(attributes.dtype, x.type, fail), shape: x.shape }];
  },
  range: finite,
  gradient: zeroGradient("only the shape of its input matters"),
});
