import { Random } from "../../../engine/tensor/random.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { dualOf, lengths } from "../lengths.js";
import { type PlaneNorm, towardPlane } from "./plane.js";
import type { Search } from "./search.js";

export interface FabParameters {
  readonly norm: PlaneNorm;
  readonly epsilon?: number | undefined;
  readonly steps: number;
  readonly restarts: number;
  readonly alphaMax: number;
  readonly overshoot: number;
  readonly backward: number;
}

/** Radius of random starts where no epsilon is said: the released code's. */
const usualRadius: Readonly<Record<PlaneNorm, number>> = { l_inf: 0.3, l_2: 1, l_1: 5 };

/**
 * Runs of the fast adaptive boundary attack, one for each set of rivals and restart.
 *
 * At a step the classifier is taken as linear at x; of its borders with the rivals the nearest is ‖w‖-wise π. With d and d₀ the ways from x and from the clean
 * image to it within the box, α = min(‖d‖ / (‖d‖ + ‖d₀‖), α_max) and η the overshoot, x ← (1 - α)(x + η d) + α (clean + η d₀); where that is wrong, x goes back
 * towards the clean image, clean + β (x - clean).
 *
 * Where there is an epsilon, images that are broken within it take no part in further runs, as in AutoAttack.
 *
 * @param runs what the objective is fed for each border, for each run.
 */
export async function fab(
  search: Search,
  parameters: FabParameters,
  runs: readonly (readonly Readonly<Record<string, Tensor>>[])[],
): Promise<void> {
  const { norm, epsilon, steps, restarts } = parameters;
  const { clean, count } = search;
  const dual = lengths[dualOf[norm]];
  let round = 0;
  for (const rivals of runs) {
    for (let restart = 0; restart < restarts; restart++, round++) {
      const done = Array.from(search.radius, (r) => r === 0 || r <= (epsilon ?? 0));
      if (!done.includes(false)) return;
      search.begin(round);
      const x = restart === 0 ? clean.slice() : randomStart(search, norm, epsilon ?? usualRadius[norm], round);
      for (let step = 0; step < steps; step++) {
        const nearest = Array.from({ length: count }, (): Plane => ({ distance: Number.POSITIVE_INFINITY }));
        for (const [i, rival] of rivals.entries()) {
          const { value, gradient } = await search.look(x, rival, i === 0 ? "a step" : "the step before");
          for (let b = 0; b < count; b++) {
            const slope = search.row(gradient, b);
            const distance = Math.abs(value[b]!) / (1e-12 + dual(slope));
            if (distance < nearest[b]!.distance) nearest[b] = { distance, value: value[b]!, slope };
          }
        }
        for (let b = 0; b < count; b++) {
          const { slope, value = 0 } = nearest[b]!;
          if (!done[b] && slope) stepTo({ slope, value }, search.row(x, b), search.row(clean, b), parameters);
        }
        const won = await search.try(x);
        for (let b = 0; b < count; b++) {
          if (!done[b] && won[b]) drawBack(search.row(x, b), search.row(clean, b), parameters.backward);
        }
      }
    }
  }
}

/** From `point`, in place, to the border that lies at height `-value` from it. (A function of its own: within an asynchronous one its loops took longer.) */
function stepTo(
  { slope, value }: { readonly slope: Float32Array; readonly value: number },
  point: Float32Array,
  image: Float32Array,
  { norm, alphaMax, overshoot }: FabParameters,
): void {
  let between = 0;
  for (let i = 0; i < point.length; i++) between += slope[i]! * (image[i]! - point[i]!);
  const [d, fromClean] = [towardPlane(norm, point, slope, -value), towardPlane(norm, image, slope, -(value + between))];
  const [near, far] = [Math.max(lengths[norm](d), 1e-8), Math.max(lengths[norm](fromClean), 1e-8)];
  const alpha = Math.min(near / (near + far), alphaMax);
  for (let i = 0; i < point.length; i++) {
    const next = (1 - alpha) * (point[i]! + overshoot * d[i]!) + alpha * (image[i]! + overshoot * fromClean[i]!);
    // into [0, 1]: without branches, as in `towardPlane`
    const above = Number(next > 1);
    point[i] = next * (Number(next > 0) - above) + above;
  }
}

/** `point` becomes image + share (point - image). */
function drawBack(point: Float32Array, image: Float32Array, share: number): void {
  for (let i = 0; i < point.length; i++) point[i] = image[i]! + share * (point[i]! - image[i]!);
}

/** The border that a sample goes to, at height `value` over it. */
interface Plane {
  readonly distance: number;
  readonly value?: number;
  readonly slope?: Float32Array;
}

/** A point half the radius away from the clean image. */
function randomStart(search: Search, norm: PlaneNorm, radius: number, round: number): Float32Array {
  const { batch, clean, count } = search;
  const x = clean.slice();
  for (let b = 0; b < count; b++) {
    const random = new Random(batch.seed, `${batch.samples[b]}/fab/${round}`);
    const [point, image] = [search.row(x, b), search.row(clean, b)];
    const region = search.region(b);
    const way = Float64Array.from(point, (_, i) => region(i) * (norm === "l_inf" ? random.uniform(-1, 1) : random.normal()));
    const length = Math.max(lengths[norm](way), 1e-12);
    for (let i = 0; i < point.length; i++) point[i] = Math.min(1, Math.max(0, image[i]! + (0.5 * radius * way[i]!) / length));
  }
  return x;
}
