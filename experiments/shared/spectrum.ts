import type { Tensor } from "../../src/engine/tensor/tensor.js";
import type { Spectrum } from "./types.js";

/** The spectrum of maps [N, C, S, S], averaged over all of them, each less its mean. */
export function spectrumOf(maps: Tensor<"float32">): Spectrum {
  const [n, c, side] = maps.shape as [number, number, number];
  const power = new Float64Array(side * side);
  for (let i = 0; i < n * c; i++)
    powerOf(maps.data.subarray(i * side * side, (i + 1) * side * side), side).forEach((v, k) => {
      power[k]! += v / (n * c);
    });
  return { radial: radial(power, side), grid: gridPeaks(power, side) };
}

/** |F|² / S⁴ of a map less its mean, frequency (u, v) at (u mod S) S + (v mod S). */
function powerOf(map: Float32Array, side: number): Float64Array {
  const mean = map.reduce((a, b) => a + b, 0) / map.length;
  const cos = Float64Array.from({ length: side }, (_, k) => Math.cos((2 * Math.PI * k) / side));
  const sin = Float64Array.from({ length: side }, (_, k) => Math.sin((2 * Math.PI * k) / side));
  const [real, imaginary] = [new Float64Array(side * side), new Float64Array(side * side)];
  for (let y = 0; y < side; y++)
    for (let v = 0; v < side; v++)
      for (let x = 0; x < side; x++) {
        const value = map[y * side + x]! - mean;
        const k = (v * x) % side;
        real[y * side + v]! += value * cos[k]!;
        imaginary[y * side + v]! -= value * sin[k]!;
      }
  const power = new Float64Array(side * side);
  for (let u = 0; u < side; u++)
    for (let v = 0; v < side; v++) {
      let [re, im] = [0, 0];
      for (let y = 0; y < side; y++) {
        const k = (u * y) % side;
        re += real[y * side + v]! * cos[k]! + imaginary[y * side + v]! * sin[k]!;
        im += imaginary[y * side + v]! * cos[k]! - real[y * side + v]! * sin[k]!;
      }
      power[u * side + v] = (re * re + im * im) / side ** 4;
    }
  return power;
}

const distance = (k: number, side: number): number => Math.min(k, side - k);

function radial(power: Float64Array, side: number): number[] {
  const bins = Array.from({ length: side / 2 + 1 }, () => ({ sum: 0, count: 0 }));
  power.forEach((p, at) => {
    const bin = bins[Math.round(Math.hypot(distance(Math.floor(at / side), side), distance(at % side, side)))];
    if (bin) {
      bin.sum += p;
      bin.count++;
    }
  });
  // The mean is taken out, so the first entry would be the logarithm of rounding.
  return bins.slice(1).map(({ sum, count }) => Number(Math.log10(Math.max(sum / count, 1e-20)).toFixed(4)));
}

/** Mean power on the lines |u| or |v| in {S / 2, S / 4} over that on the lines one and two frequencies beside them. */
function gridPeaks(power: Float64Array, side: number): number {
  const meanOn = (wanted: (k: number) => boolean): number => {
    let [sum, count] = [0, 0];
    power.forEach((p, at) => {
      if (!wanted(distance(Math.floor(at / side), side)) && !wanted(distance(at % side, side))) return;
      sum += p;
      count++;
    });
    return sum / count;
  };
  const lines = [side / 2, side / 4];
  const beside = lines.flatMap((k) => [k - 2, k - 1, k + 1, k + 2]).filter((k) => !lines.includes(k));
  return Number((meanOn((k) => lines.includes(k)) / meanOn((k) => beside.includes(k))).toFixed(4));
}
