import { clip } from "../corruption.js";

/**
 * A plane smeared along a line: the mean of copies that are shifted by whole pixels, the nth with the weight of half a Gaussian of deviation `sigma`.
 * What lies beyond the edge is the edge. (The reference stops where a shift is as large as the picture, which darkens small ones; the edge goes on here.)
 *
 * @param radius there are 2 radius + 1 copies.
 * @param angle of the motion, in degrees.
 */
export function motionBlur(
  plane: Float32Array,
  height: number,
  width: number,
  { radius, sigma, angle }: { readonly radius: number; readonly sigma: number; readonly angle: number },
): Float32Array {
  const copies = 2 * radius + 1;
  const weights = Float64Array.from({ length: copies }, (_, i) => Math.exp(-(i ** 2) / (2 * sigma ** 2)));
  const total = weights.reduce((a, b) => a + b);
  const [sine, cosine] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
  const result = new Float64Array(plane.length);
  const columns = new Int32Array(width);
  for (let i = 0; i < copies; i++) {
    const dy = -Math.ceil(i * sine - 0.5);
    const dx = -Math.ceil(i * cosine - 0.5);
    const weight = weights[i]! / total;
    for (let x = 0; x < width; x++) columns[x] = clip(x - dx, 0, width - 1);
    for (let y = 0; y < height; y++) {
      const [row, from] = [y * width, clip(y - dy, 0, height - 1) * width];
      for (let x = 0; x < width; x++) result[row + x]! += weight * plane[from + columns[x]!]!;
    }
  }
  return Float32Array.from(result);
}
