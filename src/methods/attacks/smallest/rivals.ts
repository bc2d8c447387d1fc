import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { Search } from "./search.js";

/**
 * The classes other than the target's, for each sample in the order of its logits on the clean image, largest first: the first of each, the second, ... as what
 * `leadOverRival` is fed. As many as asked for, or as there are.
 */
export function others({ before, batch, count }: Search, most: number): readonly { readonly rival: Tensor }[] {
  const { data, shape } = before.prediction;
  const classes = shape[1]!;
  const orders = Array.from({ length: count }, (_, b) => {
    const own = Number(batch.target.data[b]);
    const logit = (k: number) => data[b * classes + k]!;
    return Array.from({ length: classes }, (_, k) => k)
      .filter((k) => k !== own)
      .sort((k, l) => logit(l) - logit(k) || k - l);
  });
  const least = Math.min(most, ...orders.map((order) => order.length));
  return Array.from({ length: least }, (_, rank) => ({
    rival: tensor(
      "int64",
      [count],
      orders.map((order) => order[rank]!),
    ),
  }));
}
