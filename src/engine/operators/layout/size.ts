import { defineOperator, zeroGradient } from "../../graph/operator.js";

export const Size = defineOperator({
  name: "Size",
  inputs: ["data"],
  outputs: ["size"],
  infer: () => [{ type: "int64", shape: [] }],
  gradient: zeroGradient("a size does not depend on the elements"),
});
