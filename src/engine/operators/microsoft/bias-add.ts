import { defineComposite } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";

/** `X + bias + skip`, as ONNX Runtime's optimizer for diffusion models joins it. */
export const BiasAdd = defineComposite({
  name: "BiasAdd",
  domain: "com.microsoft",
  inputs: ["X", "bias", "skip"],
  decompose: ({ inputs: [x, bias, skip] }) => [add(add(x, bias), skip)],
});
