/** Models in use, above specification, predictor and engine. `loadModel` stands in node.ts and web.ts. */
export type { Images, ImagesByRole } from "./images.js";
export type { LoadOptions } from "./load.js";
export {
  type CallOptions,
  type GradientOptions as InputGradientOptions,
  type GradientResult,
  type LikeImages,
  LoadedModel,
  type ModelOptions,
  type ScoredPredictions,
  type TargetOptions,
} from "./loaded-model.js";
export type { Targets } from "./targets.js";
