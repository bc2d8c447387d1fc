import type { Value } from "../../../engine/graph/graph.js";
import { ParameterError } from "../scope.js";
import { asap } from "./asap.js";
import { bilinear } from "./bilinear.js";
import { boa } from "./boa.js";
import { flc } from "./flc.js";
import { freqAvg } from "./freq-avg.js";
import { maxPool } from "./max-pool.js";
import { pixelShuffle, pixelUnshuffle } from "./pixel-shuffle.js";
import type { DownPlace, Downsampling, UpPlace, Upsampling } from "./place.js";
import { split } from "./split-up.js";
import { strided } from "./strided.js";
import { transposed } from "./transposed.js";

export { type AsapConvention, type AsapPoolOptions, asapPool } from "./asap.js";
export { type BoaConvention, type BoaDownOptions, boaDown } from "./boa.js";
export { type FlcPoolOptions, flcPool, fourierResize } from "./flc.js";
export { type FreqAvgConvention, freqAvgUp } from "./freq-avg.js";
export type { DownPlace, Downsampling, UpPlace, Upsampling } from "./place.js";
export { type SplitConvention, splitUp } from "./split-up.js";
export { type LctcOptions, lctc, type TransposedKernel } from "./transposed.js";

/**
 * Every way to halve a resolution, by the name that configurations give it. Where a checkpoint's names fit several, it is taken for the first:
 * conventions of published code stand before ours.
 */
export const downsamplings = {
  strided,
  "max-pool": maxPool,
  "pixel-unshuffle": pixelUnshuffle,
  "boa-as-published": boa({ convention: "as-published" }),
  "boa-as-published-v2": boa({ convention: "as-published-v2" }),
  "boa-as-published-reflect": boa({ convention: "as-published", padding: "reflect" }),
  "boa-as-published-v2-reflect": boa({ convention: "as-published-v2", padding: "reflect" }),
  boa: boa(),
  "boa-reflect": boa({ padding: "reflect" }),
  "boa-corrected": boa({ convention: "corrected" }),
  "boa-corrected-reflect": boa({ convention: "corrected", padding: "reflect" }),
  flc,
  asap: asap(),
  "asap-as-published": asap("as-published"),
  "asap-pad-one": asap("pad-one"),
  "asap-pad-large": asap("pad-large"),
} as const satisfies Readonly<Record<string, Downsampling>>;

/** Every way to double a resolution, likewise. */
export const upsamplings = {
  "pixel-shuffle": pixelShuffle,
  "split-up-as-published": split("as-published"),
  "split-up": split(),
  "freq-avg-as-published": freqAvg("as-published"),
  "freq-avg": freqAvg(),
  bilinear,
  "transposed-2": transposed(2),
  "transposed-3": transposed(3),
  "lctc-7": transposed(7),
  "lctc-7+3": transposed(7, 3),
  "lctc-9": transposed(9),
  "lctc-9+3": transposed(9, 3),
  "lctc-11": transposed(11),
  "lctc-11+3": transposed(11, 3),
  "lctc-15": transposed(15),
  "lctc-15+3": transposed(15, 3),
  "lctc-31": transposed(31),
  "lctc-31+3": transposed(31, 3),
} as const satisfies Readonly<Record<string, Upsampling>>;

export type DownsamplingName = keyof typeof downsamplings;
export type UpsamplingName = keyof typeof upsamplings;

/** Halves the resolution at a place of a network. @throws ParameterError for a name that is none. */
export function downsample(name: DownsamplingName, place: DownPlace): Value {
  return known(downsamplings, name, "down").apply(place);
}

/** Doubles the resolution at a place of a network. @throws ParameterError for a name that is none. */
export function upsample(name: UpsamplingName, place: UpPlace): Value {
  return known(upsamplings, name, "up").apply(place);
}

/** What sides must be multiples of to be halved so often. */
export function multipleFor(name: DownsamplingName, times: number): number {
  const { multipleOf } = known(downsamplings, name, "down");
  return multipleOf === 1 || times < 1 ? 1 : multipleOf * 2 ** (times - 1);
}

function known<T>(table: Readonly<Record<string, T>>, name: string, field: "down" | "up"): T {
  if (Object.hasOwn(table, name)) return table[name]!;
  throw new ParameterError(`There is no ${field} "${name}"; choose one of ${Object.keys(table).join(", ")}.`);
}
