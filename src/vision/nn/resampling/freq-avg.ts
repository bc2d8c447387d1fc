import { GraphError, type Value } from "../../../engine/graph/graph.js";
import { pixelShuffle, sub } from "../../../engine/operators/index.js";
import { describe } from "../../../engine/tensor/tensor.js";
import { constant } from "../initializers.js";
import { conv2d } from "../layers/convolution.js";
import { blend, meanOfChannels, repeatChannels } from "./channels.js";
import type { Upsampling } from "./place.js";
import { demandScalar } from "./size.js";
import { type AxisTransform, bandTransform, centeredBand, realPart } from "./spectrum.js";

/**
 * "corrected": the spectrum is widened about its middle, so constants stay and every second sample is the mean itself. "as-published": the
 * first released code widens it at one end, which multiplies the low part by (-1)^(i + j): a constant becomes a checkerboard.
 */
export type FreqAvgConvention = "corrected" | "as-published";

/**
 * FreqAvgUp (Agnihotri et al. 2024, "Beware of Aliases", arXiv 2406.07435): twice the size, of four channels each, `y = (1 - β) low + β high`.
 * `low` is the mean of the four channels, enlarged by zeros around its spectrum; `high` is what each of the four has beside that mean, by
 * PixelShuffle(2).
 *
 * @param x [N, 4 C, H, W]
 * @param beta [1]; published networks learn it from 0.3
 * @returns [N, C, 2 H, 2 W]
 * @throws GraphError where the channels are no multiple of 4.
 * @example const y = freqAvgUp(x, p.parameter("beta", [1], constant(0.3))); // [1, 24, 64, 64] of x [1, 96, 32, 32]
 */
export function freqAvgUp(x: Value, beta: Value, convention: FreqAvgConvention = "corrected"): Value {
  const [, c, height, width] = x.shape;
  if (x.shape.length !== 4 || c! % 4 !== 0)
    throw new GraphError(`freqAvgUp: ${describe(x)} must be [N, C, H, W] with channels that are a multiple of 4.`);
  demandScalar(beta, "beta", "freqAvgUp");
  const mean = meanOfChannels(x, 4);
  const low = realPart(mean, widened(height!, convention), widened(width!, convention));
  const high = pixelShuffle(sub(x, repeatChannels(mean, 4)), 2);
  return blend(low, high, beta);
}

/** From n to 2 n samples. As published, the spectrum from 0 to n - 1 counts as n to 2 n - 1. */
function widened(n: number, convention: FreqAvgConvention): AxisTransform {
  const band = convention === "corrected" ? centeredBand(n) : { first: 0, count: n, shift: n };
  return bandTransform(n, 2 * n, band, convention === "corrected" ? "band" : "widened as published");
}

/** A 3x3 convolution without bias to four times the channels wanted, then `freqAvgUp`; its β is a parameter `beta`, 0.3 at first. */
export const freqAvg = (convention: FreqAvgConvention = "corrected"): Upsampling => ({
  source: "Agnihotri et al. 2024, arXiv 2406.07435",
  apply: ({ x, out, scope, spectral }) =>
    freqAvgUp(
      conv2d(spectral, x, { out: 4 * out, kernel: 3, bias: "none" }),
      scope.parameter("beta", [1], constant(0.3)),
      convention,
    ),
});
