import { brightnessContrast } from "./brightness-contrast.js";
import { gaussianNoise } from "./gaussian-noise.js";
import type { TransformName } from "./names.js";
import { resizePad } from "./resize-pad.js";
import { shift } from "./shift.js";
import type { TransformOf } from "./transform.js";

export { modelTransform } from "./model-transform.js";
export type { TransformName } from "./names.js";
export type { Transform, TransformOf } from "./transform.js";
export { brightnessContrast, gaussianNoise, resizePad, shift };

/** Every built-in transform by its name. */
export const transforms = {
  "gaussian-noise": gaussianNoise,
  "brightness-contrast": brightnessContrast,
  shift,
  "resize-pad": resizePad,
} as const satisfies Readonly<Record<TransformName, TransformOf>>;
