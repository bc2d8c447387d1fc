import type { NormName } from "./lengths.js";

/** Where a norm is (a root of) a sum over the pixels: what a pixel that changes by so many levels adds to it. */
const levelCost: Readonly<Partial<Record<NormName, (levels: number) => number>>> = { l_2: (k) => k * k, l_1: (k) => k };

/**
 * An adversarial image as an 8-bit file can hold it, still inside the ball around the clean one. Where a clean value is on the 8-bit grid (k / 255), as in
 * every image that was a file, so is the result; where it is not, the change is whole levels.
 *
 * l_inf: every value at the nearest level of those inside. l_0: at the nearest level at all, which changes no further value. l_2 and l_1: every value at the level next to it on the clean side, then those nearest to
 * the next level there, as long as the perturbation gets no larger than it was. (`descent/on-grid.ts` has it as a graph.)
 */
export function eightBit(adversarial: Float32Array, clean: Float32Array, norm: NormName, epsilon: number): Float32Array {
  const n = clean.length;
  const [base, change, size] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    const level = clean[i]! * 255;
    // 1e-3 of a level absorbs float32 rounding of k / 255.
    base[i] = Math.abs(level - Math.round(level)) < 1e-3 ? Math.round(level) : level;
    change[i] = adversarial[i]! * 255 - base[i]!;
    size[i] = Math.abs(change[i]!);
  }
  const cost = levelCost[norm];
  const radius = norm === "l_inf" ? Math.floor(epsilon * 255 + 1e-6) : Number.POSITIVE_INFINITY;
  const whole = cost ? filled(size, cost) : size.map((d) => Math.min(Math.round(d), radius));
  const found = new Float32Array(n);
  for (let i = 0; i < n; i++) found[i] = Math.min(255, Math.max(0, base[i]! + Math.sign(change[i]!) * whole[i]!)) / 255;
  return found;
}

/** Whole numbers of levels whose cost is at most that of the given ones. 1e-3 of a level absorbs float32 rounding of k / 255. */
function filled(levels: Float64Array, cost: (levels: number) => number): Float64Array {
  const below = levels.map((v) => Math.floor(v + 1e-3));
  const nearness = levels.map((v, i) => v - below[i]!);
  let left = levels.reduce((sum, v, i) => sum + cost(v) - cost(below[i]!), 0);
  const order = Uint32Array.from(levels.keys()).sort((a, b) => nearness[b]! - nearness[a]! || a - b);
  for (const i of order) {
    left -= cost(below[i]! + 1) - cost(below[i]!);
    if (left < 0 || nearness[i]! <= 2e-3) break;
    below[i]!++;
  }
  return below;
}
