import type { Value } from "../../../engine/graph/graph.js";
import { matMul, mul, reshape, softmax, split, transpose } from "../../../engine/operators/index.js";
import type { Scope } from "../scope.js";
import { linear } from "./linear.js";

/**
 * Multi-head self-attention on [N, tokens, C], softmax(q kᵀ / √(C / heads)) v (Vaswani et al. 2017), with timm's names `qkv` and `proj`.
 */
export function multiHeadAttention(p: Scope, x: Value, heads: number): Value {
  const [n, tokens, c] = x.shape as [number, number, number];
  const [q, k, v] = split(linear(p.at("qkv"), x, { out: 3 * c }), 2, [c, c, c]).map((part) =>
    transpose(reshape(part, [n, tokens, heads, c / heads]), [0, 2, 1, 3]),
  );
  const similarity = mul(matMul(q!, transpose(k!, [0, 1, 3, 2])), 1 / Math.sqrt(c / heads));
  const attended = matMul(softmax(similarity), v!);
  return linear(p.at("proj"), reshape(transpose(attended, [0, 2, 1, 3]), [n, tokens, c]), { out: c });
}
