import type { Random } from "../../../engine/tensor/random.js";

/** A smooth function of the plane, in [0, 1]. */
export type Field = (x: number, y: number) => number;

/**
 * Value noise: random numbers at the points of a square lattice of the given spacing, blended by the smooth step 3t^2 - 2t^3 (K. Perlin
 * 1985). It repeats after 256 lattice steps.
 */
export function valueNoise(random: Random, spacing: number): Field {
  const values = Float64Array.from({ length: 256 }, () => random.uniform());
  const order = Uint8Array.from(random.permutation(256));
  const frequency = 1 / spacing;
  return (x, y) => {
    const u = x * frequency;
    const v = y * frequency;
    const column = Math.floor(u);
    const row = Math.floor(v);
    const s = u - column;
    const t = v - row;
    const left = order[column & 255]!;
    const right = order[(column + 1) & 255]!;
    const a = values[(left + row) & 255]!;
    const b = values[(right + row) & 255]!;
    const c = values[(left + row + 1) & 255]!;
    const d = values[(right + row + 1) & 255]!;
    const wx = s * s * (3 - 2 * s);
    const wy = t * t * (3 - 2 * t);
    const top = a + (b - a) * wx;
    return top + (c + (d - c) * wx - top) * wy;
  };
}

/** Octaves of value noise, each of half the spacing and half the weight of the last. */
export function fractalNoise(random: Random, spacing: number, octaves: number): Field {
  const layers = Array.from({ length: octaves }, (_, i) => valueNoise(random, spacing / 2 ** i));
  const total = 2 - 2 ** (1 - octaves);
  return (x, y) => {
    let sum = 0;
    for (let i = 0, weight = 1; i < layers.length; i++, weight /= 2) sum += weight * layers[i]!(x, y);
    return sum / total;
  };
}

/** 0 below `low`, 1 above `high`, smooth in between. */
export function smoothStep(low: number, high: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
