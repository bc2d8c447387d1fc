import { Attention } from "./attention.js";
import { RotaryEmbedding } from "./rotary-embedding.js";

export { type AttentionOptions, attention } from "./attention.js";

export const attentionOperators = {
  Attention,
  RotaryEmbedding,
};
