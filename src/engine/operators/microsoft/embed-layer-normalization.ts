import { defineOperator, float, int, notDifferentiable } from "../../graph/operator.js";

/** Embeddings of words, positions and segments, summed and normalized, as ONNX Runtime's transformer optimizer joins them. */
export const EmbedLayerNormalization = defineOperator({
  name: "EmbedLayerNormalization",
  domain: "com.microsoft",
  inputs: [
    "input_ids",
    "segment_ids?",
    "word_embedding",
    "position_embedding",
    "segment_embedding?",
    "gamma",
    "beta",
    "mask?",
    "position_ids?",
  ],
  outputs: ["output", "mask_index?", "embedding_sum?"],
  attributes: { epsilon: float(1e-12), mask_index_type: int() },
  infer: ({ inputs: [ids, , words], fail }) => {
    if (ids.shape.length !== 2 || words.shape.length !== 2) fail("input_ids must be [B, S] and word_embedding [words, H]");
    const [batch, length] = ids.shape as [number, number];
    const embedded = { type: words.type, shape: [batch, length, words.shape[1]!] };
    return [embedded, { type: "int32", shape: [batch] }, embedded];
  },
  gradient: notDifferentiable(
    "it looks words up by their numbers, and numbers of words have no gradient; differentiate by its output",
  ),
});
