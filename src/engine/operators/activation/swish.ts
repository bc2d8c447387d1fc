import { defineComposite, float } from "../../graph/operator.js";
import { mul } from "../elementwise/mul.js";
import { sigmoid } from "./sigmoid.js";

/** `x · sigmoid(alpha x)` (Ramachandran et al. 2017, arXiv 1710.05941); an operator since opset 24. */
export const Swish = defineComposite({
  name: "Swish",
  inputs: ["X"],
  attributes: { alpha: float(1) },
  decompose: ({ inputs: [x], attributes: { alpha } }) => [mul(x, sigmoid(alpha === 1 ? x : mul(x, alpha)))],
});
