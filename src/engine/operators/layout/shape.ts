import { defineOperator, int, zeroGradient } from "../../graph/operator.js";
import { intsConstant } from "../emit.js";

export const Shape = defineOperator({
  name: "Shape",
  inputs: ["data"],
  outputs: ["shape"],
  attributes: { start: int(0), end: int() },
  flops: "none",
  infer: ({ inputs: [x], attributes }) => [{ type: "int64", shape: [x.shape.slice(attributes.start, attributes.end).length] }],
  simplify: ({ inputs: [x], attributes }) => [intsConstant(x.graph, x.shape.slice(attributes.start, attributes.end))],
  gradient: zeroGradient("a shape does not depend on the elements"),
});
