import type { NormName } from "../lengths.js";

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
  // (Plain loops: with callbacks for each entry this took twenty times as long, and FAB comes here twice for each image and step. Comparisons become numbers
  // in place of branches: the signs of a gradient cannot be guessed, and a wrong guess takes the processor longer than an entry.)
  if (work.toward.length !== n) work = workOf(n);
  const { room, slope, toward, places } = work;
  const way = Math.sign(gap);
  // Entries that can move, in front: of a picture on black half of them cannot.
  let movable = 0;
  for (let i = 0; i < n; i++) {
    const up = way * w[i]!;
    const [rises, falls] = [Number(up > 0), Number(up < 0)];
    toward[i] = rises - falls;
    slope[i] = Math.abs(up);
    room[i] = rises * (1 - x[i]!) + falls * x[i]!;
    places[movable] = i;
    movable = (movable + Number(room[i]! > 0)) | 0;
  }
  const moves = norm === "l_1" ? oneByOne(work, movable, Math.abs(gap)) : together(norm, work, movable, Math.abs(gap));
  for (let i = 0; i < n; i++) moves[i] = toward[i]! * moves[i]!;
  return moves;
}

/** What every call writes anew for pictures of n numbers; kept, for fresh memory for each call took as long as a tenth of it. */
const workOf = (n: number) => {
  const numbers = () => new Float64Array(n);
  return { toward: numbers(), slope: numbers(), room: numbers(), stop: numbers(), gain: numbers(), places: new Uint32Array(n) };
};

type Work = Readonly<ReturnType<typeof workOf>>;

let work: Work = workOf(0);

function together(norm: "l_inf" | "l_2", { slope, room, stop, gain, places }: Work, movable: number, gap: number): Float64Array {
  for (let k = 0; k < movable; k++) {
    const i = places[k]!;
    const rate = norm === "l_inf" ? 1 : slope[i]!;
    stop[k] = room[i]! / rate;
    gain[k] = rate * slope[i]!;
  }
  let [lambda, before] = [0, -1];
  while (lambda > before) {
    let [left, free] = [gap, 0];
    for (let k = 0; k < movable; k++) {
      const moves = Number(stop[k]! > lambda);
      free += moves * gain[k]!;
      left -= (1 - moves) * gain[k]! * stop[k]!;
    }
    before = lambda;
    // Nothing is free any more: everything is where the box stops it.
    if (free > 0) lambda = Math.max(lambda, left / free);
  }
  const moves = new Float64Array(slope.length);
  for (let k = 0; k < movable; k++) {
    const i = places[k]!;
    moves[i] = Math.min(lambda, stop[k]!) * (norm === "l_inf" ? 1 : slope[i]!);
  }
  return moves;
}

function oneByOne({ slope, room, places }: Work, movable: number, gap: number): Float64Array {
  const moves = new Float64Array(slope.length);
  const steepest = new Steepest(slope, places.subarray(0, movable));
  let left = gap;
  for (let i = steepest.take(); left > 0 && i !== undefined; i = steepest.take()) {
    moves[i] = Math.min(room[i]!, left / slope[i]!);
    left -= moves[i]! * slope[i]!;
  }
  return moves;
}

/** Places of numbers, in rising order; the largest number's first, of equal ones the first: a heap, for where few of many are asked for. */
class Steepest {
  #count: number;

  constructor(
    private readonly values: Float64Array,
    private readonly places: Uint32Array,
  ) {
    this.#count = places.length;
    for (let i = this.#count >> 1; i-- > 0; ) this.#sink(i);
  }

  take(): number | undefined {
    if (this.#count === 0) return undefined;
    const first = this.places[0]!;
    this.places[0] = this.places[--this.#count]!;
    this.#sink(0);
    return first;
  }

  #before(a: number, b: number): boolean {
    return this.values[a]! > this.values[b]! || (this.values[a] === this.values[b] && a < b);
  }

  #sink(from: number): void {
    const { places } = this;
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
