import { defineComposite, float, int } from "../../graph/operator.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { emitAll, normalizeAxis } from "../emit.js";
import { LayerNormalization } from "../normalization/layer-normalization.js";
import { overRootMeanSquare } from "../normalization/rms-normalization.js";

const domain = "com.microsoft";

/** LayerNormalization(input + skip + bias); the fourth output is that sum. */
export const SkipLayerNormalization = defineComposite({
  name: "SkipLayerNormalization",
  domain,
  inputs: ["input", "skip", "gamma", "beta?", "bias?"],
  outputs: ["output", "mean?", "inv_std_var?", "input_skip_bias_sum?"],
  attributes: { epsilon: float(1e-12) },
  decompose: ({ inputs: [x, skip, gamma, beta, bias], attributes: { epsilon } }) => {
    const sum = bias ? add(add(x, skip), bias) : add(x, skip);
    return [...emitAll(LayerNormalization, [sum, gamma, beta], { axis: -1, epsilon }, 3), sum];
  },
});

/** `x / √(mean(x²) + epsilon) · gamma` of input + skip + bias. */
export const SkipSimplifiedLayerNormalization = defineComposite({
  name: "SkipSimplifiedLayerNormalization",
  domain,
  inputs: ["input", "skip", "gamma", "bias?"],
  outputs: ["output", "mean?", "inv_std_var?", "input_skip_bias_sum?"],
  attributes: { epsilon: float(1e-12) },
  decompose: ({ inputs: [x, skip, gamma, bias], attributes: { epsilon } }) => {
    const sum = bias ? add(add(x, skip), bias) : add(x, skip);
    return [mul(overRootMeanSquare(sum, sum.shape.length - 1, epsilon), gamma), undefined, undefined, sum];
  },
});

/** ONNX Runtime's optimizer puts this one into the default operator set. */
export const SimplifiedLayerNormalization = defineComposite({
  name: "SimplifiedLayerNormalization",
  inputs: ["X", "scale"],
  outputs: ["Y", "inv_std_var?"],
  attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
  decompose: ({ inputs: [x, scale], attributes: { axis, epsilon }, fail }) => [
    mul(overRootMeanSquare(x, normalizeAxis(axis, x.shape.length, fail), epsilon), scale),
    undefined,
  ],
});
