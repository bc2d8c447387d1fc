import type { NormName } from "../lengths.js";
import { lengths } from "../lengths.js";

/** The point of a ball around 0 that is nearest to `delta`, in place. */
export type Projection = (delta: Float32Array | Float64Array, radius: number) => void;

export const projections: Readonly<Record<NormName, Projection>> = {
  l_inf(delta, radius) {
    for (let i = 0; i < delta.length; i++) delta[i] = Math.min(radius, Math.max(-radius, delta[i]!));
  },
  l_2(delta, radius) {
    const length = lengths.l_2(delta);
    if (length > radius) for (let i = 0; i < delta.length; i++) delta[i]! *= radius / length;
  },
  /**
   * Every |δ_i| is lowered by one θ, and stops at 0 (Duchi et al. 2008). θ = (Σ_{|δ_i| > θ} |δ_i| - ε) / #{|δ_i| > θ}, found from below in finitely many
   * rounds (Michelot 1986).
   */
  l_1(delta, radius) {
    if (lengths.l_1(delta) <= radius) return;
    let [theta, before] = [0, -1];
    while (theta > before) {
      let [sum, above] = [0, 0];
      for (let i = 0; i < delta.length; i++) {
        const size = Math.abs(delta[i]!);
        if (size <= theta) continue;
        sum += size;
        above++;
      }
      before = theta;
      if (above > 0) theta = Math.max(theta, (sum - radius) / above);
    }
    for (let i = 0; i < delta.length; i++) delta[i] = Math.sign(delta[i]!) * Math.max(0, Math.abs(delta[i]!) - theta);
  },
  /** The largest entries stay, as many as the radius says; of equal ones the first. */
  l_0(delta, radius) {
    const kept = Math.floor(radius + 1e-6);
    if (kept >= delta.length) return;
    const sizes = Float64Array.from(delta, Math.abs).sort();
    const least = kept > 0 ? sizes[sizes.length - kept]! : Number.POSITIVE_INFINITY;
    let ties = kept - sizes.reduce((n, v) => n + (v > least ? 1 : 0), 0);
    for (let i = 0; i < delta.length; i++) {
      const size = Math.abs(delta[i]!);
      if (size > least || (size === least && ties-- > 0)) continue;
      delta[i] = 0;
    }
  },
};

/** Size of the largest perturbation that stays in [0, 1]: every value goes to the end that is further away. */
export const roomOf = (norm: NormName, clean: Float32Array): number => lengths[norm](clean.map((v) => Math.max(v, 1 - v)));

/** Keeps clean + δ in [0, 1], in place. */
export function intoBox(delta: Float32Array | Float64Array, clean: Float32Array): void {
  for (let i = 0; i < delta.length; i++) delta[i] = Math.min(1 - clean[i]!, Math.max(-clean[i]!, delta[i]!));
}

/** clean + δ as float32. */
export function moved(clean: Float32Array, delta: Float32Array | Float64Array): Float32Array {
  const x = new Float32Array(clean.length);
  for (let i = 0; i < x.length; i++) x[i] = Math.min(1, Math.max(0, clean[i]! + delta[i]!));
  return x;
}

/** From `first` down to `last` along half a cosine, over the share t of the way. */
export const annealed = (t: number, first: number, last: number): number =>
  last + ((first - last) * (1 + Math.cos(Math.PI * t))) / 2;
