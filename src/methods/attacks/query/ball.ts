import type { Norm } from "../attack.js";
import type { Pictures } from "./search.js";

// Balls around pictures, on arrays: what query attacks need of norms, one picture at a time.

/** Size of `x - clean`. */
export function distance(norm: Norm["name"], x: Float32Array, clean: Float32Array): number {
  let [most, sum, squares] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const d = Math.abs(x[i]! - clean[i]!);
    most = Math.max(most, d);
    sum += d;
    squares += d * d;
  }
  return { l_inf: most, l_2: Math.sqrt(squares), l_1: sum }[norm];
}

/** Brings `x` into ball ∩ [0, 1], in place: the nearest point in l_inf and l_1; in l_2 along the line to the clean picture, then cut at the box. */
export function project(norm: Norm["name"], x: Float32Array, clean: Float32Array, epsilon: number): void {
  if (norm === "l_1") projectL1(x, clean, epsilon);
  else if (norm === "l_2") {
    const length = distance("l_2", x, clean);
    const shrink = length > epsilon ? epsilon / length : 1;
    for (let i = 0; i < x.length; i++) x[i] = unit(clean[i]! + (x[i]! - clean[i]!) * shrink);
  } else for (let i = 0; i < x.length; i++) x[i] = unit(Math.min(Math.max(x[i]!, clean[i]! - epsilon), clean[i]! + epsilon));
}

const unit = (v: number): number => Math.min(1, Math.max(0, v));

/**
 * The point of the l_1 ball and the box nearest to x (Croce & Hein 2021, proposition 1): t_i = clip(|δ_i| - θ, 0, γ_i) with γ_i what the box leaves and θ the
 * least for which Σ t_i ≤ ε, found by bisection. (`norms/l-1.ts` has it as a graph.)
 */
function projectL1(x: Float32Array, clean: Float32Array, epsilon: number): void {
  const size = Float64Array.from(x, (v, i) => Math.abs(v - clean[i]!));
  const room = Float64Array.from(x, (v, i) => (v > clean[i]! ? 1 - clean[i]! : clean[i]!));
  const total = (theta: number): number => {
    let sum = 0;
    for (let i = 0; i < size.length; i++) sum += Math.min(Math.max(size[i]! - theta, 0), room[i]!);
    return sum;
  };
  let [low, high] = [0, total(0) <= epsilon ? 0 : size.reduce((a, b) => Math.max(a, b), 0)];
  for (let k = 0; k < 50 && high - low > 1e-12; k++) {
    const middle = (low + high) / 2;
    if (total(middle) > epsilon) low = middle;
    else high = middle;
  }
  for (let i = 0; i < x.length; i++)
    x[i] = clean[i]! + Math.sign(x[i]! - clean[i]!) * Math.min(Math.max(size[i]! - high, 0), room[i]!);
}

/** Copies, to be changed. */
export const copies = (pictures: Pictures): Float32Array[] => pictures.map((p) => p.slice());
