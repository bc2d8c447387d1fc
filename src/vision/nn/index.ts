/** Networks as functions: layers, parameters, published architectures, checkpoints as bytes. Runs in the browser; files are in checkpoints/files.ts. */
export { CheckpointError } from "./checkpoints/error.js";
export { type PthOptions, readPth } from "./checkpoints/pth.js";
export { asFloat32, matchParameters, type StateDict, stripPrefix, wrapperPrefix } from "./checkpoints/state-dict.js";
export { writePth } from "./checkpoints/write-pth.js";
export type { Initializer } from "./initializers.js";
export * as initializers from "./initializers.js";
export * from "./layers/index.js";
export {
  declarations,
  type ImageNetwork,
  type InputShapes,
  initialState,
  type Network,
  networkModel,
  predictionShape,
} from "./model.js";
export * from "./networks/index.js";
export {
  type AsapConvention,
  type AsapPoolOptions,
  asapPool,
  type BoaConvention,
  type BoaDownOptions,
  boaDown,
  type DownPlace,
  type Downsampling,
  type DownsamplingName,
  downsample,
  downsamplings,
  type FlcPoolOptions,
  type FreqAvgConvention,
  flcPool,
  fourierResize,
  freqAvgUp,
  type LctcOptions,
  lctc,
  type SplitConvention,
  splitUp,
  type TransposedKernel,
  type UpPlace,
  type Upsampling,
  type UpsamplingName,
  upsample,
  upsamplings,
} from "./resampling/index.js";
export {
  asConstants,
  asInitialized,
  asInputs,
  type Binding,
  type Declaration,
  type Mode,
  ParameterError,
  Parameters,
  Scope,
} from "./scope.js";
