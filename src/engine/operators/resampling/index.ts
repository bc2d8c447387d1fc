import { GridSample } from "./grid-sample.js";
import { Resize } from "./resize.js";

export { type GridSampleOptions, gridSample } from "./grid-sample.js";
export { type ResizeOptions, resize } from "./resize.js";
export type { CoordinateMode, NearestMode, ResizeMode } from "./resize-matrix.js";

export const resamplingOperators = { GridSample, Resize };
