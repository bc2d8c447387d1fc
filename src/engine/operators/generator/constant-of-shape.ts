import { defineOperator, tensorAttribute, zeroGradient } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import type { Tensor } from "../../tensor/tensor.js";
import { constantNumbers } from "../emit.js";

export const ConstantOfShape = defineOperator({
  name: "ConstantOfShape",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { value: tensorAttribute() },
  flops: "none",
  infer: ({ inputs: [shape], attributes, fail }) => {
    const value: Tensor | undefined = attributes.value;
    return [{ type: value?.type ?? "float32", shape: constantNumbers(shape, "shape", fail) }];
  },
  range: finite,
  gradient: zeroGradient("a shape does not depend on anything differentiable"),
});
