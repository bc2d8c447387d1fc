import { Attention } from "./attention.js";
import { MicrosoftAttention } from "./microsoft-attention.js";
import { MicrosoftRotaryEmbedding } from "./microsoft-rotary-embedding.js";
import { MultiHeadAttention } from "./multi-head-attention.js";
import { RotaryEmbedding } from "./rotary-embedding.js";

export { type AttentionOptions, attention } from "./attention.js";

export const attentionOperators = {
  Attention,
  RotaryEmbedding,
  MicrosoftAttention,
  MicrosoftRotaryEmbedding,
  MultiHeadAttention,
};
