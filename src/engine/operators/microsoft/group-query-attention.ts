import type { Value } from "../../graph/graph.js";
import { defineComposite, flag, float, int, required, string } from "../../graph/operator.js";
import { tensor } from "../../tensor/tensor.js";
import { rotate } from "../attention/rotate.js";
import { joinHeads, scaledDotProduct, splitHeads } from "../attention/scaled-dot-product.js";
import { constantNumbers } from "../emit.js";
import { concat } from "../layout/concat.js";
import { slice } from "../layout/slice.js";

/**
 * Causal attention whose keys and values have fewer heads than its queries (Ainslie et al. 2023, arXiv 2305.13245), as ONNX Runtime's optimizer and
 * generation models have it. What only generation of text needs is refused: rows of different lengths, and a buffer of past keys that is not full.
 */
export const GroupQueryAttention = defineComposite({
  name: "GroupQueryAttention",
  domain: "com.microsoft",
  inputs: [
    "query",
    "key?",
    "value?",
    "past_key?",
    "past_value?",
    "seqlens_k",
    "total_sequence_length",
    "cos_cache?",
    "sin_cache?",
    "position_ids?",
    "attention_bias?",
    "head_sink?",
    "k_scale?",
    "v_scale?",
  ],
  outputs: ["output", "present_key", "present_value", "output_qk?"],
  attributes: {
    do_rotary: flag(0),
    k_quant_type: string("NONE", ["NONE", "PER_TENSOR", "PER_CHANNEL"]),
    kv_cache_bit_width: int(0),
    kv_num_heads: required(int()),
    local_window_size: int(-1),
    num_heads: required(int()),
    qk_output: int(0),
    rotary_interleaved: flag(0),
    scale: float(0),
    smooth_softmax: int(-1),
    softcap: float(0),
    v_quant_type: string("NONE", ["NONE", "PER_TENSOR", "PER_CHANNEL"]),
  },
  decompose: ({ inputs, attributes, read, graph, fail }) => {
    const [query, key, value, pastKey, pastValue, lengths, total, cos, sin, places, bias, sink, keyScale, valueScale] = inputs;
    const { num_heads: heads, kv_num_heads: groups, local_window_size: window } = attributes;
    if (sink || attributes.smooth_softmax > 0)
      fail(
        "its softmax has a sink beside the keys (head_sink or smooth_softmax), as models of text have; Faultline does not take that apart",
      );
    if (keyScale || valueScale || attributes.k_quant_type !== "NONE" || attributes.v_quant_type !== "NONE")
      fail("its past is quantized, which only generation of text does; export the model without");
    if (read[3]) fail("its fourth output, the scores, is read; export the model without it");
    if (!(groups >= 1) || heads % groups !== 0) fail(`${heads} heads of queries cannot share ${groups} heads of keys`);

    const { q, k, v } = projections({ query, key, value }, heads, groups, fail);
    const [batch, , rows, size] = q.shape as [number, number, number, number];
    if ((pastKey === undefined) !== (pastValue === undefined)) fail("past_key and past_value come together");
    const past = pastKey?.shape[2] ?? 0;
    const keys = past + rows;
    const ends = constantNumbers(lengths, "seqlens_k", fail);
    if (ends.some((end) => end !== keys - 1) || constantNumbers(total, "total_sequence_length", fail)[0] !== keys)
      fail(
        `its rows do not all have ${keys} keys (seqlens_k ${ends.join(", ")}), as in generation of text from prompts of different lengths or with a buffer of past keys; feed one length and no more past than there is`,
      );

    const order = (count: number, from: number, shape: readonly number[]): Value =>
      graph.constant(
        tensor(
          "int64",
          shape,
          Array.from({ length: count }, (_, i) => from + (i % (shape.at(-1) ?? 1))),
        ),
      );
    const turned = (x: Value): Value => {
      if (attributes.do_rotary === 0) return x;
      if (!cos || !sin) return fail("do_rotary needs cos_cache and sin_cache");
      const positions = places ?? order(batch * rows, past, [batch, rows]);
      const pairs = attributes.rotary_interleaved === 0 ? "halves" : "neighbors";
      return rotate({ x, cos, sin, positions }, { heads: undefined, pairs, size: 2 * cos.shape[1]! }, fail);
    };
    const allKeys = pastKey ? concat([pastKey, turned(k)], 2) : turned(k);
    const allValues = pastValue ? concat([pastValue, v], 2) : v;
    // query s stands at past + s and sees the keys up to there, no more than the window holds
    const sees = Array.from({ length: rows * keys }, (_, i) => {
      const [place, at] = [past + Math.floor(i / keys), i % keys];
      return at <= place && (window < 0 || place - at < window) ? 1 : 0;
    });
    const { y } = scaledDotProduct(turned(q), allKeys, allValues, {
      scale: attributes.scale === 0 ? 1 / Math.sqrt(size) : attributes.scale,
      softcap: attributes.softcap,
      bias,
      allowed: graph.constant(tensor("bool", [rows, keys], sees)),
    });
    return [joinHeads(y), allKeys, allValues, undefined];
  },
});

/** Queries `[B, H, S, D]`, keys and values `[B, G, S, D]`; without keys all three lie side by side in the query. */
function projections(
  { query, key, value }: { readonly query: Value; readonly key: Value | undefined; readonly value: Value | undefined },
  heads: number,
  groups: number,
  fail: (message: string) => never,
): { readonly q: Value; readonly k: Value; readonly v: Value } {
  if (query.shape.length !== 3) fail("its query must be [B, S, heads · size]");
  if (key && value)
    return { q: splitHeads(query, heads, fail), k: splitHeads(key, groups, fail), v: splitHeads(value, groups, fail) };
  if (key || value) fail("it has keys or values, but not both");
  const size = query.shape[2]! / (heads + 2 * groups);
  if (!Number.isInteger(size)) fail(`${heads} heads of queries and twice ${groups} of keys do not divide ${query.shape[2]}`);
  const part = (from: number, count: number): Value =>
    splitHeads(slice(query, [from * size], [(from + count) * size], { axes: [2] }), count, fail);
  return { q: part(0, heads), k: part(heads, groups), v: part(heads + groups, groups) };
}
