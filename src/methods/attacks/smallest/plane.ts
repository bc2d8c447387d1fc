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
  const n = x.length;
  const way = Math.sign(gap);
  // (Plain loops: with callbacks for each entry this took twenty times as long, and FAB comes here twice for each image and step.)
  const [room, slope] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    const up = way * w[i]!;
    slope[i] = Math.abs(w[i]!);
    room[i] = up > 0 ? 1 - x[i]! : up < 0 ? x[i]! : 0;
  }
  const moves = norm === "l_1" ? oneByOne(slope, room, Math.abs(gap)) : together(norm, slope, room, Math.abs(gap));
  for (let i = 0; i < n; i++) moves[i] = way * Math.sign(w[i]!) * moves[i]!;
  return moves;
}

function together(norm: "l_inf" | "l_2", slope: Float64Array, room: Float64Array, gap: number): Float64Array {
  const n = slope.length;
  const [stop, gain] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    const rate = norm === "l_inf" ? 1 : slope[i]!;
    stop[i] = slope[i] === 0 ? 0 : room[i]! / rate;
    gain[i] = rate * slope[i]!;
  }
  let [lambda, before] = [0, -1];
  while (lambda > before) {
    let [left, free] = [gap, 0];
    for (let i = 0; i < n; i++) {
      if (stop[i]! > lambda) free += gain[i]!;
      else left -= gain[i]! * stop[i]!;
    }
    before = lambda;
    // Nothing is free any more: everything is where the box stops it.
    if (free > 0) lambda = Math.max(lambda, left / free);
  }
  for (let i = 0; i < n; i++) stop[i] = Math.min(lambda, stop[i]!) * (norm === "l_inf" ? 1 : slope[i]!);
  return stop;
}

function oneByOne(slope: Float64Array, room: Float64Array, gap: number): Float64Array {
  const moves = new Float64Array(slope.length);
  const steepest = new Steepest(slope);
  let left = gap;
  for (let i = steepest.take(); left > 0 && i !== undefined && slope[i]! > 0; i = steepest.take()) {
    moves[i] = Math.min(room[i]!, left / slope[i]!);
    left -= moves[i]! * slope[i]!;
  }
  return moves;
}

/** Places of numbers, the largest first, of equal ones the first: a heap, for where few of many are asked for. */
class Steepest {
  readonly #places: Uint32Array;
  #count: number;

  constructor(private readonly values: Float64Array) {
    this.#count = values.length;
    this.#places = new Uint32Array(values.length);
    for (let i = 0; i < values.length; i++) this.#places[i] = i;
    for (let i = this.#count >> 1; i-- > 0; ) this.#sink(i);
  }

  take(): number | undefined {
    if (this.#count === 0) return undefined;
    const first = this.#places[0]!;
    this.#places[0] = this.#places[--this.#count]!;
    this.#sink(0);
    return first;
  }

  #before(a: number, b: number): boolean {
    return this.values[a]! > this.values[b]! || (this.values[a] === this.values[b] && a < b);
  }

  #sink(from: number): void {
    const places = this.#places;
    for (let at = from; ; ) {
      let child = 2 * at + 1;
      if (child >= this.#count) return;
      if (child + 1 < this.#count && this.#before(places[child + 1]!, places[child]!)) child++;
      if (!this.#before(places[child]!, places[at]!)) return;
      [places[at], places[child]] = [places[child]!, places[at]!];
      at = child;
    }
  }
}
