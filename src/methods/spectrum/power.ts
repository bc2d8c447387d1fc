import type { Value } from "../../engine/graph/graph.js";
import { add, div, greater, matMul, mul, reduceSum, reshape, sub, where } from "../../engine/operators/index.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";

/** Signed frequency of bin k of n: 0, 1, ..., then the negative ones, -⌊n / 2⌋ first. */
export const signed = (k: number, n: number): number => (k < Math.ceil(n / 2) ? k : k - n);

/**
 * Power spectrum of maps: |F|² with F = fft2(x) / (H W), in the order of the fast Fourier transform (0, 1, ..., -2, -1). Its sum is the mean of x².
 *
 * As four products with constant matrices: `F = (C - i S) x (C - i S)ᵀ`, C and S the cosines and sines of 2π j k / n.
 *
 * @param x [N, C, H, W]
 * @returns [N, C, H, W]
 */
export function powerSpectrum(x: Value): Value {
  const [, , height, width] = x.shape as [number, number, number, number];
  const matrix = (kind: "cos" | "sin", n: number) => x.graph.constant(waves(kind, n));
  const [left, right] = [matMul(matrix("cos", height), x), matMul(matrix("sin", height), x)];
  const [c, s] = [matrix("cos", width), matrix("sin", width)];
  const real = sub(matMul(left, c), matMul(right, s));
  const imaginary = add(matMul(right, c), matMul(left, s));
  return div(add(mul(real, real), mul(imaginary, imaginary)), (height * width) ** 2);
}

const known = new Map<string, Tensor<"float32">>();

/** Symmetric, hence its own transpose. */
function waves(kind: "cos" | "sin", n: number): Tensor<"float32"> {
  const key = `${kind} ${n}`;
  const found = known.get(key);
  if (found) return found;
  const data = Float32Array.from({ length: n * n }, (_, i) =>
    Math[kind]((2 * Math.PI * ((Math.floor(i / n) * (i % n)) % n)) / n),
  );
  const made = tensor("float32", [n, n], data);
  if (known.size > 64) known.clear();
  known.set(key, made);
  return made;
}

/** Whether the bin of signed frequencies (u, v) counts. */
export type Bins = (u: number, v: number) => boolean;

/** Sum of a power spectrum over some of its bins: [N, C]. */
export function energyIn(power: Value, bins: Bins): Value {
  const [, , height, width] = power.shape as [number, number, number, number];
  const mask = Float32Array.from({ length: height * width }, (_, i) =>
    bins(signed(Math.floor(i / width), height), signed(i % width, width)) ? 1 : 0,
  );
  return reduceSum(mul(power, power.graph.constant(tensor("float32", [height, width], mask))), [2, 3], "drop");
}

/** part / whole, 0 where the whole is. */
export const shareOf = (part: Value, whole: Value): Value =>
  where(greater(whole, 0), div(part, where(greater(whole, 0), whole, 1)), 0);

/**
 * Bins that a map of this size cannot keep when it is sampled at every `factor`-th row and column: |u| > H / (2 r) or |v| > W / (2 r). What is there
 * comes back as something else (aliasing).
 */
export const aboveNyquist =
  ([height, width]: readonly [number, number], [rows, columns]: readonly [number, number]): Bins =>
  (u, v) =>
    Math.abs(u) > height / (2 * rows) || Math.abs(v) > width / (2 * columns);

/** Bins of patterns that repeat with the grid of an enlargement: multiples of H / r and W / r, but for the mean. A checkerboard lies there alone. */
export const gridFrequencies =
  ([height, width]: readonly [number, number], [rows, columns]: readonly [number, number]): Bins =>
  (u, v) =>
    (u !== 0 || v !== 0) && (u * rows) % height === 0 && (v * columns) % width === 0;

/** Number of rings from the mean to the corner of the spectrum. */
export const rings = 24;

/** Ring of a bin: radius √((u / H)² + (v / W)²) from 0 to √½, in equal steps. */
const ringOf = (u: number, v: number, height: number, width: number): number =>
  Math.min(rings - 1, Math.floor((rings * Math.hypot(u / height, v / width)) / Math.SQRT1_2));

/** Middle of each ring, in cycles per pixel. */
export const ringFrequencies: readonly number[] = Array.from({ length: rings }, (_, k) => ((k + 0.5) * Math.SQRT1_2) / rings);

/** Mean power over the bins of each ring around the mean, which is left out: [N, C, rings]; 0 where a small map has no bin. */
export function radialPower(power: Value): Value {
  const [n, c, height, width] = power.shape as [number, number, number, number];
  const counts = new Float32Array(rings);
  const ring = Int32Array.from({ length: height * width }, (_, i) => {
    const [u, v] = [signed(Math.floor(i / width), height), signed(i % width, width)];
    return u === 0 && v === 0 ? -1 : ringOf(u, v, height, width);
  });
  for (const r of ring) if (r >= 0) counts[r]!++;
  const matrix = new Float32Array(height * width * rings);
  ring.forEach((r, i) => {
    if (r >= 0) matrix[i * rings + r] = 1 / counts[r]!;
  });
  return matMul(reshape(power, [n, c, height * width]), power.graph.constant(tensor("float32", [height * width, rings], matrix)));
}
