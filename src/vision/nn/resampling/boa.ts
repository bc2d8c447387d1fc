import { GraphError, type Value } from "../../../engine/graph/graph.js";
import { concat, pixelUnshuffle, sub } from "../../../engine/operators/index.js";
import { constant } from "../initializers.js";
import { blend, repeatChannels } from "./channels.js";
import { magnitude } from "./magnitude.js";
import type { Downsampling } from "./place.js";
import { demandEven, demandScalar } from "./size.js";
import { type AxisTransform, bandMatrix, publishedBand, realPart, rowsOf, unpadded } from "./spectrum.js";

/**
 * Where the released code differs from what the paper means:
 *
 * | convention | of the complex low-pass | low channel of unshuffled channel 4c + k | crop of the low-pass at full size |
 * |---|---|---|---|
 * | "corrected-aligned" | real part | c | where the map lies in the padding |
 * | "corrected" | real part | c | the middle, one sample off where a side is a multiple of 8 |
 * | "as-published" | absolute value: signs are lost | (4c + k) mod C: four copies of the maps, beside the unshuffled order | the middle |
 * | "as-published-v2" (code of NAFNet) | real part | (4c + k) mod C | the middle |
 */
export type BoaConvention = "corrected-aligned" | "corrected" | "as-published" | "as-published-v2";

export interface BoaDownOptions {
  readonly convention?: BoaConvention;
  /** What lies around the map before the transform; published networks were trained with zeros ("constant"), the default here. */
  readonly padding?: "constant" | "reflect";
}

/**
 * FrequencyPreservedPooling (Agnihotri et al. 2024, "Beware of Aliases", arXiv 2406.07435): four channels for each, at half the size, of a low
 * and a high part, `y = (1 - α) low + α high`. The map is padded by ⌊3 n / 4⌋ + 1 before and ⌊3 n / 4⌋ behind to P samples; `low` is what
 * the middle half of its spectrum gives at half the resolution, the same for each of the four channels; `high` is the map less that band at full
 * resolution, by PixelUnshuffle(2). The samples of `low` lie at a pitch of slightly more than 2, as published.
 *
 * @param x [N, C, H, W] with even sides
 * @param alpha [1]; published networks learn it from 0.3
 * @returns [N, 4 C, H / 2, W / 2]
 * @throws GraphError for odd sides, and for sides below 6 with "reflect".
 * @example const y = boaDown(x, p.parameter("alpha", [1], constant(0.3))); // [1, 96, 32, 32] of x [1, 24, 64, 64]
 */
export function boaDown(
  x: Value,
  alpha: Value,
  { convention = "corrected-aligned", padding = "constant" }: BoaDownOptions = {},
): Value {
  const [, , height, width] = demandEven(x, "boaDown");
  demandScalar(alpha, "alpha", "boaDown");
  if (padding === "reflect" && Math.min(height, width) < 6)
    throw new GraphError(`boaDown: sides of ${height}x${width} are too short to be continued by reflection; 6 is the least.`);
  const transforms = (kind: "half" | "full") =>
    [height, width].map((side) => lowPass(side, kind, convention, padding)) as [AxisTransform, AxisTransform];
  const part = convention === "as-published" ? magnitude : realPart;
  const low = part(x, ...transforms("half"));
  const high = pixelUnshuffle(sub(x, part(x, ...transforms("full"))), 2);
  const inOrder = convention === "corrected-aligned" || convention === "corrected";
  const low4 = inOrder ? repeatChannels(low, 4) : concat([low, low, low, low], 1);
  return blend(low4, high, alpha);
}

/** Along one axis: padding, the middle half of the spectrum, back to half or full resolution, and the crop of what stands for the map. */
function lowPass(n: number, kind: "half" | "full", convention: BoaConvention, padding: "constant" | "reflect"): AxisTransform {
  const before = Math.floor((3 * n) / 4) + 1;
  const padded = before + n + Math.floor((3 * n) / 4);
  const band = publishedBand(padded);
  const [long, short] = kind === "half" ? [band.count, n / 2] : [padded, n];
  const aligned = kind === "full" && convention === "corrected-aligned";
  const begin = aligned ? before : roundHalfToEven((long - short) / 2);
  return {
    name: `boa ${kind} ${padding} ${begin} ${n}`,
    matrix: () => unpadded(rowsOf(bandMatrix(padded, long, band), begin, short), before, n, padding),
  };
}

/** torchvision's CenterCrop rounds its offsets as Python does. */
function roundHalfToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}

/**
 * The network's convolution to a quarter of its channels, then `boaDown` (in Restormer in place of PixelUnshuffle); where any number of
 * channels will do, `boaDown` alone (the authors' NAFNet). Its α is a parameter `alpha`, 0.3 at first.
 */
export const boa = (options: BoaDownOptions = {}): Downsampling => ({
  source: "Agnihotri et al. 2024, arXiv 2406.07435",
  multipleOf: 2,
  apply: ({ x, scope, convolve, channels }) =>
    boaDown(
      channels === "free" ? x : convolve(x, { stride: 1, share: 4 }),
      scope.parameter("alpha", [1], constant(0.3)),
      options,
    ),
});
