import { type Border, within } from "./border.js";

/** Weights of a Gaussian of this deviation (pixels), cut off after so many deviations, their sum being 1. */
export function gaussianKernel(sigma: number, truncate = 4): Float64Array {
  const radius = Math.floor(truncate * sigma + 0.5);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = kernel.reduce((a, b) => a + b);
  return kernel.map((v) => v / sum);
}

/** A plane convolved with a symmetric kernel along rows and with another along columns. */
export function separable(
  plane: Float32Array,
  height: number,
  width: number,
  alongColumns: Float64Array,
  alongRows: Float64Array,
  border: Border,
): Float32Array {
  const half = new Float32Array(plane.length);
  lines(plane, half, { lines: width, between: 1, length: height, step: width }, alongColumns, border);
  const whole = new Float32Array(plane.length);
  lines(half, whole, { lines: height, between: width, length: width, step: 1 }, alongRows, border);
  return whole;
}

function lines(
  from: Float32Array,
  to: Float32Array,
  { lines, between, length, step }: { lines: number; between: number; length: number; step: number },
  kernel: Float64Array,
  border: Border,
): void {
  const radius = (kernel.length - 1) / 2;
  const padded = new Float64Array(length + 2 * radius);
  const source = Int32Array.from({ length: padded.length }, (_, i) => within(i - radius, length, border) * step);
  for (let line = 0; line < lines; line++) {
    const start = line * between;
    for (let i = 0; i < padded.length; i++) padded[i] = from[start + source[i]!]!;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * padded[i + k]!;
      to[start + i * step] = sum;
    }
  }
}

/** A Gaussian blur of one deviation, the picture's edge going on beyond it (as scikit-image's `gaussian` has it). */
export function gaussian(plane: Float32Array, height: number, width: number, sigma: number): Float32Array {
  const kernel = gaussianKernel(sigma);
  return separable(plane, height, width, kernel, kernel, "edge");
}

/** A plane correlated with a square kernel of odd side, row by row; entries that are 0 cost nothing. The border is a mirror. */
export function correlate(plane: Float32Array, height: number, width: number, kernel: Float64Array): Float32Array {
  const side = Math.round(Math.sqrt(kernel.length));
  const radius = (side - 1) / 2;
  const [tall, wide] = [height + 2 * radius, width + 2 * radius];
  const padded = new Float32Array(tall * wide);
  for (let y = 0; y < tall; y++) {
    const row = within(y - radius, height, "mirror") * width;
    for (let x = 0; x < wide; x++) padded[y * wide + x] = plane[row + within(x - radius, width, "mirror")]!;
  }
  const result = new Float32Array(plane.length);
  const sum = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let k = 0; k < kernel.length; k++) {
      const weight = kernel[k]!;
      if (weight === 0) continue;
      const start = (y + Math.floor(k / side)) * wide + (k % side);
      for (let x = 0; x < width; x++) sum[x]! += weight * padded[start + x]!;
    }
    result.set(sum, y * width);
  }
  return result;
}
