import { GraphError, type Value } from "../../../engine/graph/graph.js";
import { pixelShuffle, sub } from "../../../engine/operators/index.js";
import { constant } from "../initializers.js";
import { blend } from "./channels.js";
import { magnitude } from "./magnitude.js";
import type { Upsampling } from "./place.js";
import { demandMap, demandScalar } from "./size.js";
import { type AxisTransform, bandMatrix, publishedBand, realPart } from "./spectrum.js";

/** "as-published" takes the absolute value of the complex low-pass, and runs on squares whose side is a multiple of 4 alone. */
export type SplitConvention = "corrected" | "as-published";

/**
 * SplitUp, the ablation beside FreqAvgUp (Agnihotri et al. 2024, arXiv 2406.07435): splits a map that has been enlarged into the middle half of
 * its spectrum and the rest, and weighs them, `y = (1 - β) low + β (x - low)`.
 *
 * @param x [N, C, H, W], of any size
 * @param beta [1]; published networks learn it from 0.3
 * @throws GraphError for a size that the convention does not take.
 * @example const y = splitUp(pixelShuffle(x, 2), beta); // [1, 24, 64, 64] of x [1, 96, 32, 32]
 */
export function splitUp(x: Value, beta: Value, convention: SplitConvention = "corrected"): Value {
  const [height, width] = demandMap(x, "splitUp");
  demandScalar(beta, "beta", "splitUp");
  if (convention === "as-published" && (height !== width || height % 4 !== 0))
    throw new GraphError(`splitUp: "as-published" takes squares whose side is a multiple of 4, not ${height}x${width}.`);
  const part = convention === "as-published" ? magnitude : realPart;
  const low = part(x, lowPass(height), lowPass(width));
  return blend(low, sub(x, low), beta);
}

function lowPass(n: number): AxisTransform {
  const { first, count } = publishedBand(n);
  return { name: `middle half ${n}`, matrix: () => bandMatrix(n, n, { first, count }) };
}

/** The network's convolution and PixelShuffle(2), then `splitUp`; its β is a parameter `beta`, 0.3 at first. */
export const split = (convention: SplitConvention = "corrected"): Upsampling => ({
  source: "Agnihotri et al. 2024, arXiv 2406.07435",
  apply: ({ x, out, scope, mix }) =>
    splitUp(pixelShuffle(mix(x, 4 * out), 2), scope.parameter("beta", [1], constant(0.3)), convention),
});
