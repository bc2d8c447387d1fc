import { abs, max, min, mul, neg, reduceMax, sign } from "../../../engine/operators/index.js";
import type { Norm } from "../ascent/ascent.js";

/** max |δ| ≤ ε: every pixel may change a little. */
export const lInf: Norm = {
  name: "l_inf",
  direction: sign,
  project: (delta, epsilon) => min(max(delta, neg(epsilon)), epsilon),
  start: (noise, epsilon) => mul(noise, epsilon),
  size: (delta) => reduceMax(abs(delta), [1, 2, 3], "drop"),
};
