import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { sizeOf } from "../../tensor/tensor.js";
import { scalar } from "../emit.js";

export const Size = defineOperator({
  name: "Size",
  inputs: ["data"],
  outputs: ["size"],
  flops: "none",
  infer: () => [{ type: "int64", shape: [] }],
  simplify: ({ inputs: [x] }) => [scalar(x.graph, sizeOf(x.shape), "int64")],
  gradient: zeroGradient("a size does not depend on the elements"),
});
