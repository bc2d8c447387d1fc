import type { Value } from "../../../engine/graph/graph.js";
import { clip, div, max, mul, reduceSum, sqrt } from "../../../engine/operators/index.js";
import type { Norm } from "../ascent/ascent.js";
import { scaledByLargest } from "./scale.js";

const length = (x: Value, axes: "keep" | "drop" = "keep"): Value => sqrt(reduceSum(mul(x, x), [1, 2, 3], axes));

/** ‖δ‖₂ ≤ ε over the whole image. The start on the sphere is that of the published CosPGD code. */
export const l2: Norm = {
  name: "l_2",
  // g / ‖g‖; after scaling the length is at least 1, or 0 for a gradient of zeros.
  direction: (gradient) => {
    const scaled = scaledByLargest(gradient);
    return div(scaled, clip(length(scaled), 0.5));
  },
  // δ ε / max(‖δ‖, ε)
  project: (delta, epsilon) => mul(delta, div(epsilon, max(length(delta), epsilon))),
  start: (noise, epsilon) => mul(div(noise, clip(length(noise), 1e-12)), epsilon),
  // Gaussian noise has no preferred direction; volume grows as the n-th power of the radius.
  ball: { noise: (random) => random.normal(), radius: (u, n) => u ** (1 / n) },
  size: (delta) => length(delta, "drop"),
  levelCost: (levels) => mul(levels, levels),
};
