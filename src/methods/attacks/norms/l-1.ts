import type { Value } from "../../../engine/graph/graph.js";
import { abs, clip, cumSum, div, mul, reduceMax, reduceSum, reshape, sign, sub, topK } from "../../../engine/operators/index.js";
import { sizeOf, tensor } from "../../../engine/tensor/tensor.js";
import type { Norm } from "../attack.js";

const total = (x: Value, axes: "keep" | "drop" = "keep"): Value => reduceSum(abs(x), [1, 2, 3], axes);

/**
 * Σ |δ| ≤ ε: few pixels may change much.
 *
 * Projection by Duchi et al. 2008, fig. 1: with |δ| sorted descending as u and ρ the largest k for which u_k > (Σ_{i≤k} u_i - ε) / k, every
 * |δ| is lowered by θ = (Σ_{i≤ρ} u_i - ε) / ρ.
 */
export const l1: Norm = {
  name: "l_1",
  // The gradient itself at length 1: the steepest corner alone would move a single pixel per step.
  direction: (gradient) => div(gradient, clip(total(gradient), 1e-12)),
  project: (delta, epsilon) => {
    const [batch, n] = [delta.shape[0]!, sizeOf(delta.shape.slice(1))];
    const flat = abs(reshape(delta, [batch, n]));
    const sorted = topK(flat, n, 1)[0]!;
    const rank = delta.graph.constant(
      tensor(
        "float32",
        [1, n],
        Array.from({ length: n }, (_, k) => k + 1),
      ),
    );
    const candidates = div(sub(cumSum(sorted, 1), epsilon), rank);
    // θ_k grows up to ρ and falls after it, and no candidate exceeds θ: θ is their maximum, floored at 0 (inside the ball nothing moves).
    const theta = clip(reduceMax(candidates, [1], "keep"), 0);
    return mul(sign(delta), reshape(clip(sub(flat, theta), 0), delta.shape));
  },
  start: (noise, epsilon) => mul(div(noise, clip(total(noise), 1e-12)), epsilon),
  size: (delta) => total(delta, "drop"),
};
