import type { Tensor } from "../../engine/tensor/tensor.js";

export interface Guess {
  readonly label: number;
  readonly probability: number;
}

/** The likeliest classes of logits [K], softmax taken over all of them; the likeliest first. */
export function topClasses(logits: Tensor, count: number): Guess[] {
  const z = Array.from(logits.data as Float32Array);
  const largest = Math.max(...z);
  const weights = z.map((v) => Math.exp(v - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights
    .map((w, label) => ({ label, probability: w / total }))
    .sort((a, b) => b.probability - a.probability || a.label - b.label)
    .slice(0, count);
}
