import { BatchNormalization } from "./batch-normalization.js";
import { InstanceNormalization } from "./instance-normalization.js";
import { LayerNormalization } from "./layer-normalization.js";
import { LpNormalization } from "./lp-normalization.js";
import { LRN } from "./lrn.js";
import { MeanVarianceNormalization } from "./mean-variance-normalization.js";
import { RMSNormalization } from "./rms-normalization.js";

export { batchNormalization } from "./batch-normalization.js";
export { instanceNormalization } from "./instance-normalization.js";
export { layerNormalization } from "./layer-normalization.js";
export { lpNormalization } from "./lp-normalization.js";
export { type LrnOptions, lrn } from "./lrn.js";
export { meanVarianceNormalization } from "./mean-variance-normalization.js";
export { rmsNormalization } from "./rms-normalization.js";

export const normalizationOperators = {
  BatchNormalization,
  InstanceNormalization,
  LayerNormalization,
  LpNormalization,
  LRN,
  MeanVarianceNormalization,
  RMSNormalization,
};
