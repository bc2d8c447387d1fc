export { type ConvnextUnetConfiguration, convnextBlock, convnextStages, convnextUnet } from "./convnext-unet.js";
export { findNetwork, type NamedNetwork, type NetworkConfiguration, resampled, resamplingOf, tensorsOf } from "./find.js";
export { correlation, type FlowConfiguration, flow } from "./flow.js";
export { halvedConv2d } from "./halved.js";
export {
  channelAttention,
  type NafBlockOptions,
  type NafBlockParts,
  type NafnetActivation,
  type NafnetAttention,
  type NafnetConfiguration,
  type NafnetParts,
  type NafnetPooling,
  nafBlock,
  nafnet,
  simpleGate,
} from "./nafnet.js";
export { publishedNetworks } from "./published.js";
export { recognizeConfiguration, sameParameters } from "./recognize.js";
export {
  basicBlock,
  bottleneck,
  type ResidualBlockOptions,
  type ResnetBackbone,
  type ResnetConfiguration,
  resnet,
  resnetStages,
} from "./resnet.js";
export {
  type FourLevels,
  gatedFeedForward,
  type RestormerConfiguration,
  type RestormerParts,
  restormer,
  transformerBlock,
  transposedAttention,
} from "./restormer.js";
export { deeplabHead, pspHead, type SegmentationConfiguration, segmentationNetwork } from "./segmentation.js";
export { type StereoConfiguration, stereo } from "./stereo.js";
export { doubleConv, type UnetConfiguration, type UnetParts, unet } from "./unet.js";
