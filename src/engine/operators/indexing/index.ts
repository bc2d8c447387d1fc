import { Compress } from "./compress.js";
import { Gather } from "./gather.js";
import { GatherElements } from "./gather-elements.js";
import { GatherND } from "./gather-nd.js";
import { NonMaxSuppression } from "./non-max-suppression.js";
import { NonZero } from "./non-zero.js";
import { OneHot } from "./one-hot.js";
import { ScatterElements } from "./scatter-elements.js";
import { ScatterND } from "./scatter-nd.js";
import { TensorScatter } from "./tensor-scatter.js";
import { TopK } from "./top-k.js";
import { Unique } from "./unique.js";

export { gather } from "./gather.js";
export { gatherElements } from "./gather-elements.js";
export { gatherND } from "./gather-nd.js";
export { oneHot } from "./one-hot.js";
export type { ScatterReduction } from "./scatter.js";
export { scatterElements } from "./scatter-elements.js";
export { scatterND } from "./scatter-nd.js";
export { topK } from "./top-k.js";

export const indexingOperators = {
  Compress,
  Gather,
  GatherElements,
  GatherND,
  NonMaxSuppression,
  NonZero,
  OneHot,
  ScatterElements,
  ScatterND,
  TopK,
  Unique,
  TensorScatter,
};
