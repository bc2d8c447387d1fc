/** Layer criticality: which layers the decisions rest on; runs wherever an `Engine` does. */
export { constantCriticality } from "./constant-prediction.js";
export { CriticalityError } from "./error.js";
export { findLayers, type LayeredModel } from "./find-layers.js";
export { type FreshCopy, freshCopies } from "./fresh-copies.js";
export { isWeighted, type Layer, type LayerKind, layerKinds, type Parameter } from "./layer.js";
export { measureResets, type ProbeBatch, type ProbeContext, type ResetUnit, type UnitOutcome } from "./measure-resets.js";
export type { MeasureName, MeasureSums, PredictionKind } from "./measures.js";
export { type Probe, probeOf } from "./probe.js";
export {
  type Average,
  type LayerProfile,
  layerProfile,
  type Profile,
  profileOf,
  type TrialMeasures,
  trialMeasures,
} from "./profile.js";
export { type PublishedLayer, publishedResnet50 } from "./published.js";
export {
  interpolated,
  keepingStatistics,
  type LayerReset,
  onShareOfChannels,
  type ResetSource,
  type SchemeName,
  schemeSource,
  schemes,
} from "./resets.js";
