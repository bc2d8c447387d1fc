/** The ONNX file format, for every runtime. What needs a file system is in read-file.ts and write-file.ts. */

export type { Chunks } from "./chunks.js";
export { type DataFiles, OneDataFile } from "./data-files.js";
export { defaultLimits, type Limits } from "./limits.js";
export {
  type Attribute,
  canonicalIrVersion,
  canonicalOpset,
  ModelError,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type ValueInfo,
} from "./model.js";
export { parseModel, type ReadOptions } from "./read.js";
export type { ExternalData } from "./tensor-data.js";
export { toLowestOpset, toOpset17 } from "./to-17.js";
export { type EncodedModel, type EncodeOptions, encodeModel, type WriteOptions, writeModel } from "./write.js";
