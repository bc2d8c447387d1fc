import type { Value } from "../../../engine/graph/graph.js";
import type { Downsampling } from "./place.js";
import { demandMap, pooledSize } from "./size.js";
import { bandTransform, centeredBand, realPart } from "./spectrum.js";

/**
 * Resamples maps [..., H, W] to another height and width through their spectrum: frequencies that the smaller of both grids has are kept with
 * their amplitudes, all others are left out or zero. Sample i of m lies at position i n / m of n; the map counts as periodic.
 *
 * `y = Re ifft2(unshift(center(shift(fft2 x))))`, the forward transform divided by H W.
 *
 * @example fourierResize(x, [112, 112]) // of x [1, 64, 224, 224]: the ideal low-pass, then every second sample
 */
export function fourierResize(x: Value, [height, width]: readonly [height: number, width: number]): Value {
  const [h, w] = demandMap(x, "fourierResize");
  const axis = (n: number, m: number) => bandTransform(n, m, centeredBand(Math.min(n, m)), "band");
  return realPart(x, axis(h, height), axis(w, width));
}

export interface FlcPoolOptions {
  /** Default 2. */
  readonly stride?: number;
  /** The size wanted, where the stride does not divide the sides; default ⌊side / stride⌋. */
  readonly size?: readonly [height: number, width: number];
}

/**
 * Frequency low-cut pooling (Grabinski et al. 2022, "FrequencyLowCut Pooling", arXiv 2204.00491): the ideal low-pass and every `stride`-th
 * sample, by cutting the middle out of the spectrum. Nothing aliases; constants and all that lies below the new Nyquist limit is kept.
 * Equal to the published code where the sides are multiples of 2 `stride`; elsewhere the published crop is beside the middle and modulates
 * the map, this one never.
 *
 * @param x [..., H, W]
 * @returns [..., ⌊H / stride⌋, ⌊W / stride⌋]
 * @throws GraphError where a side is smaller than the stride.
 * @example const y = flcPool(x); // [1, 64, 56, 56] of x [1, 64, 112, 112]
 */
export function flcPool(x: Value, { stride = 2, size }: FlcPoolOptions = {}): Value {
  return fourierResize(x, size ?? pooledSize(x, stride, "flcPool"));
}

/** The low-pass, then the network's convolution at stride 1 (as the authors put it into ResNets, shortcuts and stem included). */
export const flc: Downsampling = {
  source: "Grabinski et al. 2022, arXiv 2204.00491",
  multipleOf: 1,
  apply: ({ x, size, convolve }) => convolve(flcPool(x, { size }), { stride: 1, share: 1 }),
};
