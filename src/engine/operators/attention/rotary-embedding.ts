import { defineComposite, flag, int } from "../../graph/operator.js";
import { rotate } from "./rotate.js";

export const RotaryEmbedding = defineComposite({
  name: "RotaryEmbedding",
  inputs: ["X", "cos_cache", "sin_cache", "position_ids?"],
  attributes: { interleaved: flag(0), num_heads: int(), rotary_embedding_dim: int(0) },
  decompose: ({ inputs: [x, cos, sin, positions], attributes, fail }) => [
    rotate(
      { x, cos, sin, positions },
      {
        heads: attributes.num_heads,
        pairs: attributes.interleaved === 0 ? "halves" : "neighbors",
        size: attributes.rotary_embedding_dim,
      },
      fail,
    ),
  ],
});
