import type { Tensor } from "../../src/engine/tensor/tensor.js";
import type { Spectrum } from "./types.js";

/** The spectrum of maps [N, C, H, W], averaged over all of them, each less its mean. */
export function spectrumOf(maps: Tensor<"float32">): Spectrum {
  const [n, c, height, width] = maps.shape as [number, number, number, number];
  const area = height * width;
  const power = new Float64Array(area);
  for (let i = 0; i < n * c; i++)
    powerOf(maps.data.subarray(i * area, (i + 1) * area), height, width).forEach((v, k) => {
      power[k]! += v / (n * c);
    });
  return { radial: radial(power, height, width), grid: gridPeaks(power, height, width) };
}

/** |F|² / (H W)² of a map less its mean, frequency (u, v) at (u mod H) W + (v mod W). */
function powerOf(map: Float32Array, height: number, width: number): Float64Array {
  const mean = map.reduce((a, b) => a + b, 0) / map.length;
  const wave = (side: number, f: (angle: number) => number) =>
    Float64Array.from({ length: side }, (_, k) => f((2 * Math.PI * k) / side));
  const [cosX, sinX, cosY, sinY] = [wave(width, Math.cos), wave(width, Math.sin), wave(height, Math.cos), wave(height, Math.sin)];
  const [real, imaginary] = [new Float64Array(map.length), new Float64Array(map.length)];
  for (let y = 0; y < height; y++)
    for (let v = 0; v < width; v++)
      for (let x = 0; x < width; x++) {
        const value = map[y * width + x]! - mean;
        const k = (v * x) % width;
        real[y * width + v]! += value * cosX[k]!;
        imaginary[y * width + v]! -= value * sinX[k]!;
      }
  const power = new Float64Array(map.length);
  for (let u = 0; u < height; u++)
    for (let v = 0; v < width; v++) {
      let [re, im] = [0, 0];
      for (let y = 0; y < height; y++) {
        const k = (u * y) % height;
        re += real[y * width + v]! * cosY[k]! + imaginary[y * width + v]! * sinY[k]!;
        im += imaginary[y * width + v]! * cosY[k]! - real[y * width + v]! * sinY[k]!;
      }
      power[u * width + v] = (re * re + im * im) / map.length ** 2;
    }
  return power;
}

const distance = (k: number, side: number): number => Math.min(k, side - k);

/** Mean power of the frequencies at each distance from 0, of which the shorter side resolves half its length. */
function radial(power: Float64Array, height: number, width: number): number[] {
  const side = Math.min(height, width);
  const bins = Array.from({ length: side / 2 + 1 }, () => ({ sum: 0, count: 0 }));
  power.forEach((p, at) => {
    const u = (distance(Math.floor(at / width), height) * side) / height;
    const v = (distance(at % width, width) * side) / width;
    const bin = bins[Math.round(Math.hypot(u, v))];
    if (bin) {
      bin.sum += p;
      bin.count++;
    }
  });
  // The mean is taken out, so the first entry would be the logarithm of rounding.
  return bins.slice(1).map(({ sum, count }) => Number(Math.log10(Math.max(sum / count, 1e-20)).toFixed(4)));
}

/** Mean power on the lines |u| in {H / 2, H / 4} or |v| in {W / 2, W / 4} over that on the lines one and two frequencies beside them. */
function gridPeaks(power: Float64Array, height: number, width: number): number {
  const lines = (side: number) => [side / 2, side / 4];
  const beside = (side: number) =>
    lines(side)
      .flatMap((k) => [k - 2, k - 1, k + 1, k + 2])
      .filter((k) => !lines(side).includes(k));
  const meanOn = (wanted: (side: number) => number[]): number => {
    const [rows, columns] = [wanted(height), wanted(width)];
    let [sum, count] = [0, 0];
    power.forEach((p, at) => {
      if (!rows.includes(distance(Math.floor(at / width), height)) && !columns.includes(distance(at % width, width))) return;
      sum += p;
      count++;
    });
    return sum / count;
  };
  return Number((meanOn(lines) / meanOn(beside)).toFixed(4));
}
