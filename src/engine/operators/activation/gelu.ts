import type { Value } from "../../graph/graph.js";
import { defineComposite, string } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";
import { erf } from "../elementwise/erf.js";
import { mul } from "../elementwise/mul.js";
import { tanh } from "../elementwise/tanh.js";

/**
 * `x Φ(x)` with the normal distribution function Φ (Hendrycks & Gimpel 2016, arXiv 1606.08415): exactly, or by the tanh form of that paper.
 * Written out in operators of opset 18, for Gelu itself exists from opset 20 on. ONNX Runtime 1.30 fuses the exact form only where it divides by √2.
 */
export function gelu(x: Value, approximate: "none" | "tanh" = "none"): Value {
  if (approximate === "none") return mul(mul(x, add(erf(mul(x, Math.SQRT1_2)), 1)), 0.5);
  const inner = mul(add(x, mul(mul(mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, add(tanh(inner), 1)), 0.5);
}

/** An operator since opset 20. */
export const Gelu = defineComposite({
  name: "Gelu",
  inputs: ["X"],
  attributes: { approximate: string("none", ["none", "tanh"]) },
  decompose: ({ inputs: [x], attributes: { approximate } }) => [gelu(x, approximate)],
});
