/** From linear light to the 8-bit values of a stored picture, and the mean of an exposure. */
import { gamma } from "./palette.js";

/** What an exposure averages: linear light (a sensor, GoPro's `blur_gamma`), or stored values (GoPro's `blur`). */
export type Averaging = "light" | "stored";

/**
 * The stored value x^(1 / 2.2) by a table over sqrt(x), in which the curve is almost straight; linear in between, off by less than 1e-4.
 * A power for each of the 442,368 values of a 128x128 exposure would cost more than drawing them.
 */
const steps = 4096;
const table = Float32Array.from({ length: steps + 2 }, (_, i) => (i / steps) ** (2 / gamma));

function stored(light: number): number {
  const position = Math.sqrt(light) * steps;
  const step = position | 0;
  return table[step]! + (table[step + 1]! - table[step]!) * (position - step);
}

/** Stored values of 8 bits, v / 255, as a camera writes them. */
export function encode(light: Float32Array): Float32Array {
  return light.map((v) => Math.round(stored(v) * 255) / 255);
}

/** The exposure of several frames, encoded: the mean of their light, or of their stored values (GoPro's two ways). */
export function encodedMean(frames: readonly Float32Array[], averaging: Averaging): Float32Array {
  const sum = new Float64Array(frames[0]!.length);
  for (const frame of frames) {
    if (averaging === "light") for (let i = 0; i < sum.length; i++) sum[i]! += frame[i]!;
    else for (let i = 0; i < sum.length; i++) sum[i]! += stored(frame[i]!);
  }
  const mean = new Float32Array(sum.length);
  for (let i = 0; i < sum.length; i++) {
    const value = sum[i]! / frames.length;
    mean[i] = Math.round((averaging === "light" ? stored(value) : value) * 255) / 255;
  }
  return mean;
}
