import type { Value } from "../../graph/graph.js";
import { defineComposite, flag, float, int, required } from "../../graph/operator.js";
import { joinHeads, scaledDotProduct, splitHeads } from "../attention/scaled-dot-product.js";
import { add } from "../elementwise/add.js";
import { concat } from "../layout/concat.js";
import { reshape } from "../layout/reshape.js";
import { slice } from "../layout/slice.js";
import { causal, paddingBias } from "./attention-mask.js";

/** Attention as ONNX Runtime's transformer optimizer writes it: heads side by side, biases of the projections, masks of padding. */
export const MultiHeadAttention = defineComposite({
  name: "MultiHeadAttention",
  domain: "com.microsoft",
  inputs: [
    "query",
    "key?",
    "value?",
    "bias?",
    "key_padding_mask?",
    "attention_bias?",
    "past_key?",
    "past_value?",
    "past_sequence_length?",
    "cache_indirection?",
  ],
  outputs: ["output", "present_key?", "present_value?", "qk?"],
  attributes: {
    mask_filter_value: float(-10000),
    num_heads: required(int()),
    scale: float(0),
    unidirectional: flag(0),
  },
  decompose: ({ inputs, attributes, fail }) => {
    const [query, key, value, bias, padding, scores, pastKey, pastValue, pastLength, indirection] = inputs;
    if (pastLength || indirection) fail("it shares the buffer of its past, which only generation of text does");
    const heads = attributes.num_heads;
    const { q: plain, k: keys, v: values } = projections(query, key, value, bias, heads, fail);
    const k = pastKey ? concat([pastKey, keys], 2) : keys;
    const v = pastValue ? concat([pastValue, values], 2) : values;
    const [batch, , queries, size] = plain.shape as [number, number, number, number];
    const sizes = { batch, queries, keys: k.shape[2]!, past: pastKey?.shape[2] ?? 0 };
    const padded = padding && paddingBias(padding, attributes.mask_filter_value, query, sizes, fail);
    const { y, weights } = scaledDotProduct(plain, k, v, {
      scale: attributes.scale === 0 ? 1 / Math.sqrt(size) : attributes.scale,
      bias: padded && scores ? add(padded, scores) : (padded ?? scores),
      allowed: attributes.unidirectional === 0 ? undefined : causal(query, sizes),
    });
    return [joinHeads(y), k, v, weights];
  },
});

/** Queries, keys and values `[B, N, length, size]`, each with its part of the bias. */
function projections(
  query: Value,
  key: Value | undefined,
  value: Value | undefined,
  bias: Value | undefined,
  heads: number,
  fail: (message: string) => never,
): { readonly q: Value; readonly k: Value; readonly v: Value } {
  // [B, length, N, 3 or 2, size]: one of the parts as [B, length, N·size]
  const unpacked = (packed: Value, part: number): Value =>
    reshape(slice(packed, [part], [part + 1], { axes: [3] }), [packed.shape[0]!, packed.shape[1]!, heads * packed.shape[4]!]);
  if (!key && query.shape.length !== 5) fail("it has no keys, and its query is not packed");
  const [q, k, v] = !key
    ? [unpacked(query, 0), unpacked(query, 1), unpacked(query, 2)]
    : key.shape.length === 5
      ? [query, unpacked(key, 0), unpacked(key, 1)]
      : [query, key, value ?? fail("it has keys and no values")];
  let from = 0;
  const withBias = (x: Value): Value => {
    // keys and values that were projected before, [B, N, length, size], have had their bias
    if (x.shape.length === 4) return x;
    const width = x.shape[2]!;
    from += width;
    return splitHeads(bias ? add(x, slice(bias, [from - width], [from], { axes: [0] })) : x, heads, fail);
  };
  return { q: withBias(q), k: withBias(k), v: withBias(v) };
}
