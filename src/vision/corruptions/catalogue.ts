import type { Corruption } from "./corruption.js";
import { brightness } from "./kinds/brightness.js";
import { contrast } from "./kinds/contrast.js";
import { defocusBlur } from "./kinds/defocus-blur.js";
import { elasticTransform } from "./kinds/elastic-transform.js";
import { fog } from "./kinds/fog.js";
import { frost } from "./kinds/frost.js";
import { gaussianBlur } from "./kinds/gaussian-blur.js";
import { gaussianNoise } from "./kinds/gaussian-noise.js";
import { glassBlur } from "./kinds/glass-blur.js";
import { impulseNoise } from "./kinds/impulse-noise.js";
import { jpegCompression } from "./kinds/jpeg-compression.js";
import { motionBlur } from "./kinds/motion-blur.js";
import { pixelate } from "./kinds/pixelate.js";
import { proceduralFrost } from "./kinds/procedural-frost.js";
import { saturate } from "./kinds/saturate.js";
import { shotNoise } from "./kinds/shot-noise.js";
import { snow } from "./kinds/snow.js";
import { spatter } from "./kinds/spatter.js";
import { speckleNoise } from "./kinds/speckle-noise.js";
import { zoomBlur } from "./kinds/zoom-blur.js";

/** Every corruption by its name, in the order of ImageNet-C's tables. */
export const corruptions: Readonly<Record<string, Corruption>> = Object.fromEntries(
  [
    ...[gaussianNoise, shotNoise, impulseNoise],
    ...[defocusBlur, glassBlur, motionBlur, zoomBlur],
    ...[snow, frost, fog, brightness],
    ...[contrast, elasticTransform, pixelate, jpegCompression],
    ...[speckleNoise, gaussianBlur, spatter, saturate],
    proceduralFrost,
  ].map((corruption) => [corruption.name, corruption]),
);

/** The names of ImageNet-C's fifteen: its mean corruption error is over these. */
export const commonCorruptions: readonly string[] = Object.values(corruptions)
  .filter(({ family }) => family !== "extra" && family !== "own")
  .map(({ name }) => name);
