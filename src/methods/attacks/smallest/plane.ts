import type { NormName } from "../attack.js";

/** The norms in which the nearest point of a plane within the box is known. */
export type PlaneNorm = Exclude<NormName, "l_0">;

/**
 * The smallest δ, in the norm, for which ⟨w, δ⟩ = gap and x + δ stays in [0, 1]; where the box does not let it get so far, the one that gets furthest (Croce &
 * Hein 2020, section 3.1; Hein & Andriushchenko 2017).
 *
 * Each entry moves in the direction in which ⟨w, δ⟩ grows, by t_i ≤ r_i, the room that the box leaves: Σ |w_i| t_i = |gap|. In l_inf t_i = min(λ, r_i), in
 * l_2 t_i = min(λ |w_i|, r_i), so with k_i the λ at which the box stops entry i and a_i what it adds per λ, Σ a_i min(λ, k_i) = |gap|: concave and made of
 * straight pieces, so that λ = (|gap| - Σ_{k_i ≤ λ} a_i k_i) / Σ_{k_i > λ} a_i, started at 0, is exact after finitely many rounds. In l_1 the entries of
 * largest |w_i| move one after the other, each as far as it can.
 */
export function towardPlane(norm: PlaneNorm, x: Float32Array, w: Float32Array, gap: number): Float64Array {
  const way = Math.sign(gap);
  const room = Float64Array.from(x, (v, i) => (way * w[i]! > 0 ? 1 - v : w[i] === 0 ? 0 : v));
  const moves = norm === "l_1" ? oneByOne(w, room, Math.abs(gap)) : together(norm, w, room, Math.abs(gap));
  return moves.map((t, i) => way * Math.sign(w[i]!) * t);
}

function together(norm: "l_inf" | "l_2", w: Float32Array, room: Float64Array, gap: number): Float64Array {
  const rate = Float64Array.from(w, norm === "l_inf" ? () => 1 : Math.abs);
  const stop = room.map((r, i) => (w[i] === 0 ? 0 : r / rate[i]!));
  const gain = rate.map((v, i) => v * Math.abs(w[i]!));
  let [lambda, before] = [0, -1];
  while (lambda > before) {
    let [left, free] = [gap, 0];
    for (let i = 0; i < w.length; i++) {
      if (stop[i]! > lambda) free += gain[i]!;
      else left -= gain[i]! * stop[i]!;
    }
    before = lambda;
    // Nothing is free any more: everything is where the box stops it.
    lambda = free > 0 ? Math.max(lambda, left / free) : lambda;
  }
  return stop.map((k, i) => Math.min(lambda, k) * rate[i]!);
}

function oneByOne(w: Float32Array, room: Float64Array, gap: number): Float64Array {
  const moves = new Float64Array(w.length);
  const order = Uint32Array.from(w.keys()).sort((i, j) => Math.abs(w[j]!) - Math.abs(w[i]!) || i - j);
  let left = gap;
  for (const i of order) {
    const slope = Math.abs(w[i]!);
    if (left <= 0 || slope === 0) break;
    moves[i] = Math.min(room[i]!, left / slope);
    left -= moves[i]! * slope;
  }
  return moves;
}
