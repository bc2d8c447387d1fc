import type { Value } from "../../../engine/graph/graph.js";
import { add, div, mul, reduceMean, reshape, sqrt, sub } from "../../../engine/operators/index.js";
import { ones, zeros } from "../initializers.js";
import type { Scope } from "../scope.js";

/**
 * `torch.nn.GroupNorm` on [N, C, H, W]: each group of C / groups channels is normalized over its channels and pixels (Wu & He 2018).
 * Parameters `weight` and `bias` of shape [C]. One group is layer normalization, C groups instance normalization.
 */
export function groupNorm(p: Scope, x: Value, groups: number, epsilon = 1e-5): Value {
  const [n, c] = [x.shape[0]!, x.shape[1]!];
  const grouped = reshape(x, [n, groups, -1]);
  const centered = sub(grouped, reduceMean(grouped, [2], "keep"));
  const normalized = div(centered, sqrt(add(reduceMean(mul(centered, centered), [2], "keep"), epsilon)));
  const scale = reshape(p.parameter("weight", [c], ones), [1, c, 1, 1]);
  return add(mul(reshape(normalized, x.shape), scale), reshape(p.parameter("bias", [c], zeros), [1, c, 1, 1]));
}
