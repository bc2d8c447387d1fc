import { GraphError, type Value } from "../../../engine/graph/graph.js";
import { transpose } from "../../../engine/operators/index.js";
import type { Downsampling } from "./place.js";
import { demandMap, pooledSize } from "./size.js";
import {
  type AxisTransform,
  type Band,
  bandMatrix,
  centeredBand,
  publishedBand,
  realPart,
  rowsOf,
  unpadded,
} from "./spectrum.js";

/**
 * "corrected": the formula below. "as-published": height and width of the result exchanged, as the released code leaves them. "pad-one" and
 * "pad-large": the released code's zero paddings, one row and column behind, or nearly as many as there are on every side.
 */
export type AsapConvention = "corrected" | "as-published" | "pad-one" | "pad-large";

export interface AsapPoolOptions {
  /** Default 2; the two padded conventions have no other. */
  readonly stride?: number;
  /** The size wanted, where the stride does not divide the sides; default ⌊side / stride⌋. */
  readonly size?: readonly [height: number, width: number];
  readonly convention?: AsapConvention;
}

/**
 * Aliasing and spectral artifact-free pooling (Grabinski et al. 2023, "Fix your downsampling ASAP!", arXiv 2307.09804): as `flcPool`, after
 * a Hamming window on the spectrum against the ringing of the sharp cut, `w(f) = √(0.54 - 0.46 cos(2π (f + ⌊n / 2⌋) / (n - 1)))` along each
 * axis. The window's maximum lies half a frequency beside 0, so constants lose a little (1 % at 16x16, 0.06 % at 64x64).
 *
 * @param x [..., H, W]
 * @returns [..., ⌊H / stride⌋, ⌊W / stride⌋]
 * @throws GraphError where a side is smaller than the stride, or does not suit the convention.
 * @example const y = asapPool(x); // [1, 64, 56, 56] of x [1, 64, 112, 112]
 */
export function asapPool(x: Value, { stride = 2, size, convention = "corrected" }: AsapPoolOptions = {}): Value {
  const sides = demandMap(x, "asapPool");
  const target = size ?? pooledSize(x, stride, "asapPool");
  const [rows, columns] = sides.map((n, axis) => transformOf(n, target[axis]!, convention)) as [AxisTransform, AxisTransform];
  const pooled = realPart(x, rows, columns);
  if (convention !== "as-published") return pooled;
  const rank = x.shape.length;
  return transpose(pooled, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}

function transformOf(n: number, m: number, convention: AsapConvention): AxisTransform {
  const name = `asap ${convention} ${n} ${m}`;
  if (convention === "corrected" || convention === "as-published")
    return { name, matrix: () => bandMatrix(n, m, windowed(centeredBand(m), n)) };
  const [before, behind] = convention === "pad-one" ? [0, 1] : [Math.floor(n / 2 - 1), Math.floor(n / 2)];
  const padded = n + before + behind;
  const band = publishedBand(padded);
  const begin = convention === "pad-one" ? 0 : Math.floor(band.count / 4);
  const count = convention === "pad-one" ? band.count : Math.floor((3 * band.count) / 4) - begin;
  if (count !== m)
    throw new GraphError(
      `asapPool: "${convention}" makes ${count} of a side of ${n}, not ${m}; take sides that are multiples of 4.`,
    );
  return {
    name,
    matrix: () => unpadded(rowsOf(bandMatrix(padded, band.count, windowed(band, padded)), begin, m), before, n, "constant"),
  };
}

function windowed(band: Band, n: number): Band {
  // The window of a single sample is 1.
  const weight = (f: number): number =>
    n === 1 ? 1 : Math.sqrt(0.54 - 0.46 * Math.cos((2 * Math.PI * (f + Math.floor(n / 2))) / (n - 1)));
  return { ...band, weight };
}

/** ASAP, then the network's convolution at stride 1. */
export const asap = (convention: AsapConvention = "corrected"): Downsampling => ({
  source: "Grabinski et al. 2023, arXiv 2307.09804",
  multipleOf: convention === "pad-one" || convention === "pad-large" ? 4 : 1,
  apply: ({ x, size, convolve }) => {
    const [height, width] = size;
    if (convention === "as-published" && height !== width)
      throw new GraphError(
        `"asap-as-published" exchanges height and width: a network has it for square maps alone, not ${height}x${width}.`,
      );
    return convolve(asapPool(x, { size, convention }), { stride: 1, share: 1 });
  },
});
