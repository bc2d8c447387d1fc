import type { Value } from "../../../engine/graph/graph.js";
import { add, div, layerNormalization, mul, reduceMean, reshape, sqrt, sub } from "../../../engine/operators/index.js";
import { ones, zeros } from "../initializers.js";
import type { Scope } from "../scope.js";

/** How a layer normalization treats the mean: subtract it and add a bias, or do neither. */
export type LayerNormKind = "with-bias" | "bias-free";

/**
 * Layer normalization over the channels of each pixel of [N, C, H, W], y = (x - μ) / √(σ² + ε) · w + b with the biased variance σ².
 * Parameters `weight` and `bias` of shape [C]. NAFNet has ε = 1e-6 (Chen et al. 2022), Restormer 1e-5.
 */
export function layerNorm2d(p: Scope, x: Value, epsilon = 1e-6): Value {
  const centered = sub(x, reduceMean(x, [1], "keep"));
  const normalized = div(centered, deviation(centered, epsilon));
  return add(mul(normalized, perChannel(p, "weight", x)), perChannel(p, "bias", x));
}

/**
 * Restormer's bias-free layer normalization, y = x / √(σ² + ε) · w: σ² is the variance about the mean, but the mean stays in x
 * (Zamir et al. 2022, code).
 */
export function biasFreeLayerNorm2d(p: Scope, x: Value, epsilon = 1e-5): Value {
  const centered = sub(x, reduceMean(x, [1], "keep"));
  return mul(div(x, deviation(centered, epsilon)), perChannel(p, "weight", x));
}

/** `torch.nn.LayerNorm` over the last axis: parameters `weight` and `bias` of its size. */
export function layerNorm(p: Scope, x: Value, epsilon = 1e-5): Value {
  const size = [x.shape.at(-1)!];
  return layerNormalization(x, p.parameter("weight", size, ones), p.parameter("bias", size, zeros), -1, epsilon);
}

function deviation(centered: Value, epsilon: number): Value {
  return sqrt(add(reduceMean(mul(centered, centered), [1], "keep"), epsilon));
}

function perChannel(p: Scope, name: "weight" | "bias", x: Value): Value {
  const c = x.shape[1]!;
  return reshape(p.parameter(name, [c], name === "weight" ? ones : zeros), [1, c, 1, 1]);
}
