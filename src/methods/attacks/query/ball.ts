import type { Norm } from "../ascent/ascent.js";
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

/** Into [0, 1], in place; what is no number becomes 0. */
export function cutToBox(x: Float32Array): void {
  for (let i = 0; i < x.length; i++) {
    if (!(x[i]! >= 0)) x[i] = 0;
    else if (x[i]! > 1) x[i] = 1;
  }
}

const unit = (v: number): number => Math.min(1, Math.max(0, v));

/**
 * The point of the l_1 ball and the box nearest to x (Croce & Hein 2021, proposition 1): t_i = clip(|δ_i| - θ, 0, γ_i) with γ_i what the box leaves and θ the
 * least for which Σ t_i ≤ ε. The sum falls with θ along straight pieces, so Newton's steps, halved where they leave the bracket, end on the piece of θ after
 * a few. (`norms/l-1.ts` has it as a graph.)
 */
function projectL1(x: Float32Array, clean: Float32Array, epsilon: number): void {
  const n = x.length;
  const [size, room] = [new Float64Array(n), new Float64Array(n)];
  // Entries that differ from the clean picture, which are few.
  const places = new Uint32Array(n);
  let [changed, most, sum] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [own, origin] = [x[i]!, clean[i]!];
    if (own === origin) continue;
    const delta = Math.abs(own - origin);
    [size[changed], room[changed]] = [delta, own > origin ? 1 - origin : origin];
    places[changed++] = i;
    most = Math.max(most, delta);
    sum += Math.min(delta, room[changed - 1]!);
  }
  let theta = 0;
  // Above ε at `low`, at most ε at `high`.
  for (let [low, high, round] = [0, most, 0]; sum > epsilon && round < 100 && high - low > 1e-15; round++) {
    let [total, sloping] = [0, 0];
    for (let k = 0; k < changed; k++) {
      const left = size[k]! - theta;
      if (left <= 0) continue;
      if (left < room[k]!) {
        total += left;
        sloping++;
      } else total += room[k]!;
    }
    if (Math.abs(total - epsilon) <= 1e-12 * epsilon) break;
    if (total > epsilon) low = theta;
    else high = theta;
    const next = theta + (total - epsilon) / sloping;
    theta = next > low && next < high ? next : (low + high) / 2;
  }
  for (let k = 0; k < changed; k++) {
    const i = places[k]!;
    x[i] = clean[i]! + Math.sign(x[i]! - clean[i]!) * Math.min(Math.max(size[k]! - theta, 0), room[k]!);
  }
}

/** Copies, to be changed. */
export const copies = (pictures: Pictures): Float32Array[] => pictures.map((p) => p.slice());
