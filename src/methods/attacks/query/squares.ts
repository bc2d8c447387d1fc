import type { Random } from "../../../engine/tensor/random.js";
import type { Norm } from "../ascent/ascent.js";

// The squares of Square (Andriushchenko et al. 2020): how large they are, and in l_2 and l_1 what they hold.

/** After how many of 10,000 queries the share p of the pixels that a square covers is halved, as published. */
const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/** p at a query, counted from 0; `of`: how many queries the schedule is stretched over. */
export const shareAt = (query: number, of: number, first: number): number =>
  first / 2 ** halvings.filter((at) => Math.floor((query / of) * 10_000) > at).length;

/** The side of a square that covers the share p of a picture. In l_2 and l_1 it has a middle: odd, 3 at least. */
export function sideOf(share: number, height: number, width: number, norm: Norm["name"]): number {
  const side = Math.round(Math.sqrt(share * height * width));
  const odd = Math.max(side, 3) + (Math.max(side, 3) % 2 === 0 ? 1 : 0);
  return Math.min(norm === "l_inf" ? Math.max(side, 1) : odd, height, width);
}

/** Where windows may lie, see `startOf`. */
export type Windows = "published" | "released";

/**
 * Where a window begins along an axis of which it leaves so many pixels free. Published (algorithms 2 and 4): anywhere from 0 to there. The released code, and
 * with it AutoAttack, draws a number below what is free and rounds it down, so the last row and the last column are never in a window that is smaller than the picture.
 */
export const startOf = (free: number, windows: Windows, random: Random): number =>
  random.integer(windows === "released" ? Math.max(1, free) : free + 1);

/**
 * A hill and a valley side by side (section 3.3, eq. 2), each a sum of nested rectangles: Σ_k 1 / (k + 1)^q over those that hold the pixel, with q = 2 in l_2, 4
 * in l_1 (as AutoAttack has it). Of norm 1; `turned` puts them beside instead of above each other.
 */
export function hillAndValley(side: number, norm: "l_2" | "l_1", turned: boolean): Float64Array {
  const upper = Math.floor(side / 2);
  const [hill, valley] = [hillOf(upper, side, norm), hillOf(side - upper, side, norm)];
  const pattern = new Float64Array(side * side);
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++) {
      const v = i < upper ? hill[i * side + j]! : -valley[(i - upper) * side + j]!;
      pattern[turned ? j * side + i : i * side + j] = v;
    }
  return normalized(pattern, norm);
}

function hillOf(rows: number, columns: number, norm: "l_2" | "l_1"): Float64Array {
  const rectangles = Math.floor(Math.max(rows, columns) / 2) + 1;
  const power = norm === "l_2" ? 2 : 4;
  const [middleRow, middleColumn] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  const hill = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      for (let k = Math.max(Math.abs(i - middleRow), Math.abs(j - middleColumn)); k < rectangles; k++)
        hill[i * columns + j]! += 1 / (k + 1) ** power;
  return normalized(hill, norm);
}

function normalized(values: Float64Array, norm: "l_2" | "l_1"): Float64Array {
  const size = sizeOfValues(values, norm);
  return size === 0 ? values : values.map((v) => v / size);
}

export function sizeOfValues(values: Iterable<number>, norm: "l_2" | "l_1"): number {
  let sum = 0;
  for (const v of values) sum += norm === "l_2" ? v * v : Math.abs(v);
  return norm === "l_2" ? Math.sqrt(sum) : sum;
}
