import type { Planes } from "./planes.js";

/** Mean squared difference over all channels and pixels. */
export function meanSquaredError(a: Planes, b: Planes): number {
  let sum = 0;
  let count = 0;
  a.planes.forEach((plane, c) => {
    const other = b.planes[c]!;
    for (let i = 0; i < plane.length; i++) sum += (plane[i]! - other[i]!) ** 2;
    count += plane.length;
  });
  return sum / count;
}

/** Peak signal-to-noise ratio in dB for a peak of 1: 10 log₁₀(1 / MSE); infinite for equal images. */
export function psnrOf(meanSquaredError: number): number {
  return 10 * Math.log10(1 / meanSquaredError);
}
