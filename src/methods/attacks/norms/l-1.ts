import type { Value } from "../../../engine/graph/graph.js";
import {
  abs,
  and,
  cast,
  clip,
  concat,
  cumSum,
  div,
  gatherElements,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  max,
  min,
  mul,
  or,
  reduceSum,
  reshape,
  sign,
  slice,
  sub,
  topK,
  where,
} from "../../../engine/operators/index.js";
import { sizeOf } from "../../../engine/tensor/tensor.js";
import type { Norm } from "../ascent/ascent.js";
import { apgdL1 } from "../ascent/descent/apgd-l1.js";
import { rows } from "./rows.js";

const total = (x: Value, axes: "keep" | "drop" = "keep"): Value => reduceSum(abs(x), [1, 2, 3], axes);

/** Share of the entries that a step leaves alone (Tramèr & Boneh 2019, section 4; 0.99 is Foolbox's default too). */
const quantile = 0.99;

/** Σ |δ| ≤ ε: few pixels may change much. */
export const l1: Norm = {
  name: "l_1",
  /**
   * The sparse step (Tramèr & Boneh 2019): the same length for the entries above the 99 % quantile, none for the others. For few entries this is
   * the steepest corner itself. Entries that the box already stops count as 0.
   */
  direction: (gradient, x) => {
    const stopped = or(and(lessOrEqual(x, 0), less(gradient, 0)), and(greaterOrEqual(x, 1), greater(gradient, 0)));
    const free = where(stopped, 0, gradient);
    const n = sizeOf(gradient.shape.slice(1));
    const count = n - Math.ceil(quantile * (n - 1));
    const size = abs(free);
    const threshold = slice(topK(rows(size), count, 1)[0]!, [count - 1], [count], { axes: [1] });
    const kept = and(greaterOrEqual(size, reshape(threshold, [x.shape[0]!, 1, 1, 1])), greater(size, 0));
    const step = where(kept, sign(free), 0);
    return div(step, clip(total(step), 1));
  },
  project: projected,
  start: (noise, epsilon) => mul(div(noise, clip(total(noise), 1e-12)), epsilon),
  // The two-sided exponential distribution depends on Σ |δ| alone, as Gaussian noise on Σ δ².
  ball: { noise: (random) => laplace(random.uniform(-1, 1)), radius: (u, n) => u ** (1 / n) },
  size: (delta) => total(delta, "drop"),
  levelCost: (levels) => levels,
  autoPgd: apgdL1,
};

const laplace = (v: number): number => -Math.sign(v) * Math.log(1 - Math.abs(v));

/**
 * The point of ball ∩ box nearest to x + δ (Croce & Hein 2021, proposition 1): every |δ_i| is lowered by one θ ≥ 0 and cut at what the box leaves,
 * t_i = clip(|δ_i| - θ, 0, γ_i), with γ_i = 1 - x_i where δ_i > 0, x_i where δ_i < 0, and θ the least for which Σ t_i ≤ ε.
 *
 * Σ t falls linearly in θ between the breakpoints |δ_i| (where entry i begins to move, coming from above) and |δ_i| - γ_i (where the box stops it).
 * Sorted descending as b with +1 and -1, the number of moving entries is a running sum c, and Σ t at b_k is Σ_{j<k} c_j (b_j - b_{j+1}).
 */
function projected(delta: Value, epsilon: Value, clean: Value): Value {
  const batch = delta.shape[0]!;
  const size = rows(abs(delta));
  const n = size.shape[1]!;
  const room = rows(where(greater(delta, 0), sub(1, clean), clean));
  const [points, order] = topK(concat([size, sub(size, room)], 1), 2 * n, 1) as [Value, Value];
  const moving = cumSum(where(less(order, n), 1, -1), 1);
  const [from, to] = [slice(points, [0], [2 * n - 1], { axes: [1] }), slice(points, [1], [2 * n], { axes: [1] })];
  const gained = cumSum(mul(slice(moving, [0], [2 * n - 1], { axes: [1] }), sub(from, to)), 1);
  const atPoint = concat([mul(slice(points, [0], [1], { axes: [1] }), 0), gained], 1);
  const last = sub(reduceSum(cast(lessOrEqual(atPoint, epsilon), "int64"), [1], "keep"), 1);
  const at = (values: Value) => gatherElements(values, last, 1);
  const theta = max(sub(at(points), div(sub(epsilon, at(atPoint)), max(at(moving), 1))), 0);
  const lowered = min(max(sub(size, theta), 0), room);
  // Sums of many numbers round: what is beyond ε in the last digits is taken off everywhere.
  const sum = reduceSum(lowered, [1], "keep");
  const inside = mul(lowered, div(epsilon, max(sum, epsilon)));
  return mul(sign(delta), reshape(inside, [batch, ...delta.shape.slice(1)]));
}
