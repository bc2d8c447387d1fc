import type { Tensor } from "../../../engine/tensor/tensor.js";

/**
 * What a random corruption is compared by (fixtures/golden/corruptions): means, deviations and root mean squares per color, PSNR, the power spectrum of the
 * difference in 8 rings of equal width from zero to the Nyquist frequency, and quantiles of the result.
 */
export function statistics(
  image: Tensor<"float32">,
  clean: Tensor<"float32">,
  without: readonly string[] = [],
): Readonly<Record<string, readonly number[]>> {
  const [, height, width] = image.shape as [number, number, number];
  const area = height * width;
  const planes = (t: Tensor<"float32">) => [0, 1, 2].map((c) => t.data.subarray(c * area, (c + 1) * area));
  const difference = image.data.map((v, i) => v - clean.data[i]!);
  const differences = [0, 1, 2].map((c) => difference.subarray(c * area, (c + 1) * area));
  const mean = (a: Float32Array) => a.reduce((x, y) => x + y, 0) / a.length;
  const meanSquare = (a: Float32Array) => a.reduce((x, y) => x + y * y, 0) / a.length;
  const sorted = image.data.slice().sort();
  return {
    mean: planes(image).map(mean),
    std: planes(image).map((p) => Math.sqrt(Math.max(0, meanSquare(p) - mean(p) ** 2))),
    difference_mean: differences.map(mean),
    difference_rms: differences.map((p) => Math.sqrt(meanSquare(p))),
    psnr: [-10 * Math.log10(meanSquare(difference))],
    ...(!without.includes("spectrum") && {
      spectrum: rings(
        differences[0]!.map((_, i) => (differences[0]![i]! + differences[1]![i]! + differences[2]![i]!) / 3),
        height,
        width,
      ),
    }),
    quantiles: [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99].map((q) => quantile(sorted, q)),
  };
}

/** Mean power of a plane's Fourier coefficients (of the unitary transform) in 8 rings of the frequency. */
function rings(plane: Float32Array, height: number, width: number): number[] {
  const rows = dft(plane, new Float32Array(plane.length), { lines: height, between: width, length: width, step: 1 });
  const both = dft(rows.re, rows.im, { lines: width, between: 1, length: height, step: width });
  const [sum, count] = [new Array<number>(8).fill(0), new Array<number>(8).fill(0)];
  const signed = (k: number, n: number) => (k <= n / 2 ? k : k - n) / n;
  for (let i = 0; i < plane.length; i++) {
    const frequency = Math.hypot(signed(Math.floor(i / width), height), signed(i % width, width));
    const ring = Math.floor(frequency * 16);
    if (ring >= 8) continue;
    sum[ring]! += (both.re[i]! ** 2 + both.im[i]! ** 2) / plane.length;
    count[ring]!++;
  }
  return sum.map((v, ring) => v / count[ring]!);
}

function dft(
  re: Float32Array,
  im: Float32Array,
  { lines, between, length, step }: { lines: number; between: number; length: number; step: number },
) {
  const cosine = Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * i) / length));
  const sine = Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * i) / length));
  const [a, b] = [new Float32Array(re.length), new Float32Array(re.length)];
  for (let line = 0; line < lines; line++)
    for (let k = 0; k < length; k++) {
      let [x, y] = [0, 0];
      for (let i = 0, angle = 0, at = line * between; i < length; i++, at += step) {
        x += re[at]! * cosine[angle]! + im[at]! * sine[angle]!;
        y += im[at]! * cosine[angle]! - re[at]! * sine[angle]!;
        angle += k;
        if (angle >= length) angle -= length;
      }
      a[line * between + k * step] = x;
      b[line * between + k * step] = y;
    }
  return { re: a, im: b };
}

/** Of sorted values, between two of them in proportion. */
function quantile(sorted: Float32Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}
