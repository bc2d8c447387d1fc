import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Truth } from "../data/folder-rule.js";
import { WishError, type WishMaker, type WishRule } from "./task.js";

// What flow, disparity and other maps of numbers share on arrays.

/** A wish that is one of a few words, each with what it makes of the clean prediction and how it is said. */
export function oneOfWords(
  task: string,
  words: Readonly<Record<string, { readonly make: WishMaker; readonly said: string; readonly note?: string }>>,
): WishRule {
  const takes = Object.entries(words)
    .map(([word, { note }]) => `"${word}"${note ? ` (${note})` : ""}`)
    .join(" or ");
  return {
    takes,
    async read(word) {
      const known = words[word];
      if (!known) throw new WishError(`--target ${word}: ${task} takes ${takes}.`);
      return known.make;
    },
    say: (word) => words[word]?.said ?? word,
  };
}

export const zeros = (prediction: Tensor): Tensor<"float32"> => tensor("float32", prediction.shape);

export const negated = (prediction: Tensor): Tensor<"float32"> =>
  tensor(
    "float32",
    prediction.shape,
    (prediction.data as Float32Array).map((v) => -v),
  );

/** The map with another value where it is unknown, for files that say so in this way. */
export const unknownAs = (value: number, { target, valid }: Truth): Tensor<"float32"> =>
  tensor(
    "float32",
    target.shape,
    target.data.map((v, i) => (valid.data[i % valid.data.length] === 1 ? v : value)),
  );

/** [1, H, W] or [C, H, W] as the plain list of numbers that metrics take. */
export const numbersOf = (t: Tensor): Float32Array => t.data as Float32Array;
export const maskOf = (valid: Tensor | undefined): Float32Array | undefined => valid?.data as Float32Array | undefined;
