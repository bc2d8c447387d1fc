import { mul } from "../../../engine/operators/index.js";
import type { TransformOf } from "./transform.js";

/** The scale-invariant method (SI, Lin et al. 2020, eq. 9): copies x / 2^i for i = 0, 1, ..., whose gradients (with respect to x) are averaged. */
export const scaledCopies: TransformOf = (samples) => ({
  name: "scaled copies",
  samples,
  moves: "nothing",
  noise: ([b]) => [b!, 0],
  numbers: (draw) => ({ brightness: 2 ** -draw }),
  apply: (image, _, number) => mul(image, number("brightness")),
});
