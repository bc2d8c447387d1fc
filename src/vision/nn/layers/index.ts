export { multiHeadAttention } from "./attention.js";
export { type BatchNormOptions, batchNorm2d } from "./batch-norm.js";
export {
  type Bias,
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  channels,
  conv2d,
  convTranspose2d,
  depthwiseConv2d,
} from "./convolution.js";
export { groupNorm } from "./group-norm.js";
export { biasFreeLayerNorm2d, layerNorm, layerNorm2d } from "./layer-norm.js";
export { type LinearOptions, linear } from "./linear.js";
export { cropTo, padToMultiple, roundUp, spatial } from "./padding.js";
export { adaptiveAveragePool2d, globalAveragePool2d, localAveragePool2d } from "./pooling.js";
export { resizeBilinear } from "./resize.js";
export { warp } from "./warp.js";
