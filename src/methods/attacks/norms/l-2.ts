import type { Value } from "../../../engine/graph/graph.js";
import { clip, div, max, mul, reduceSum, sqrt } from "../../../engine/operators/index.js";
import type { Norm } from "../attack.js";

const length = (x: Value, axes: "keep" | "drop" = "keep"): Value => sqrt(reduceSum(mul(x, x), [1, 2, 3], axes));

/** ‖δ‖₂ ≤ ε over the whole image. The step floor of 1e-12 and the start on the sphere are those of the published CosPGD code. */
export const l2: Norm = {
  name: "l_2",
  direction: (gradient) => div(gradient, clip(length(gradient), 1e-12)),
  // δ ε / max(‖δ‖, ε)
  project: (delta, epsilon) => mul(delta, div(epsilon, max(length(delta), epsilon))),
  start: (noise, epsilon) => mul(div(noise, clip(length(noise), 1e-12)), epsilon),
  size: (delta) => length(delta, "drop"),
};
