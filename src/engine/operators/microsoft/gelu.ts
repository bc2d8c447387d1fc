import { defineComposite, float } from "../../graph/operator.js";
import { gelu } from "../activation/gelu.js";
import { sigmoid } from "../activation/sigmoid.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";

const domain = "com.microsoft";

export const Gelu = defineComposite({ name: "Gelu", domain, inputs: ["X"], decompose: ({ inputs: [x] }) => [gelu(x)] });

export const BiasGelu = defineComposite({
  name: "BiasGelu",
  domain,
  inputs: ["A", "B"],
  outputs: ["C"],
  decompose: ({ inputs: [x, bias] }) => [gelu(add(x, bias))],
});

/** By the tanh form. */
export const FastGelu = defineComposite({
  name: "FastGelu",
  domain,
  inputs: ["X", "bias?"],
  decompose: ({ inputs: [x, bias] }) => [gelu(bias ? add(x, bias) : x, "tanh")],
});

/** `x · sigmoid(alpha x)` */
export const QuickGelu = defineComposite({
  name: "QuickGelu",
  domain,
  inputs: ["X"],
  attributes: { alpha: float(1.702) },
  decompose: ({ inputs: [x], attributes: { alpha } }) => [mul(x, sigmoid(mul(x, alpha)))],
});
