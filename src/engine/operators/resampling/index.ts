import { Resize } from "./resize.js";

export { type ResizeOptions, resize } from "./resize.js";
export type { CoordinateMode, NearestMode, ResizeMode } from "./resize-matrix.js";

export const resamplingOperators = { Resize };
