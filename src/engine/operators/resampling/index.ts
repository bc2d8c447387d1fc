import { AffineGrid } from "./affine-grid.js";
import { DFT } from "./dft.js";
import { GridSample } from "./grid-sample.js";
import { MelWeightMatrix } from "./mel-weight-matrix.js";
import { Resize } from "./resize.js";
import { STFT } from "./stft.js";

export { affineGrid } from "./affine-grid.js";
export { type DftOptions, dft } from "./dft.js";
export { type GridSampleOptions, gridSample } from "./grid-sample.js";
export { type ResizeOptions, resize } from "./resize.js";
export type { CoordinateMode, NearestMode, ResizeMode } from "./resize-matrix.js";

export const resamplingOperators = { AffineGrid, DFT, GridSample, MelWeightMatrix, Resize, STFT };
