import type { NetworkConfiguration } from "./find.js";
import type { NafnetConfiguration } from "./nafnet.js";
import type { ResnetConfiguration } from "./resnet.js";
import type { RestormerConfiguration } from "./restormer.js";
import type { SegmentationConfiguration } from "./segmentation.js";

const nafnet = {
  family: "nafnet",
  activation: "simple-gate",
  attention: "simplified-channel",
} as const satisfies Partial<NafnetConfiguration>;
const baseline = { family: "nafnet", activation: "gelu", attention: "channel" } as const satisfies Partial<NafnetConfiguration>;
// github.com/megvii-research/NAFNet, options/test: REDS has the depths of GoPro.
const gopro = { encoderBlocks: [1, 1, 1, 28], middleBlocks: 1, decoderBlocks: [1, 1, 1, 1] };
const sidd = { encoderBlocks: [2, 2, 4, 8], middleBlocks: 12, decoderBlocks: [2, 2, 2, 2] };

// github.com/swz30/Restormer, */Options/*.yml
const restormer: RestormerConfiguration = {
  family: "restormer",
  width: 48,
  blocks: [4, 6, 6, 8],
  refinementBlocks: 4,
  heads: [1, 2, 4, 8],
  feedForwardExpansion: 2.66,
  normalization: "with-bias",
};
const restormerDenoising: RestormerConfiguration = { ...restormer, normalization: "bias-free" };

const imagenet = (block: ResnetConfiguration["block"], ...blocks: number[]): ResnetConfiguration => ({
  family: "resnet",
  block,
  blocks,
  width: 64,
  stem: "imagenet",
  classes: 1000,
});
const cifar = (perStage: number): ResnetConfiguration => ({
  family: "resnet",
  block: "basic",
  blocks: [perStage, perStage, perStage],
  width: 16,
  stem: "cifar",
  classes: 10,
});
const segmentation = (head: SegmentationConfiguration["head"], backbone: ResnetConfiguration): SegmentationConfiguration => ({
  family: "segmentation",
  backbone: { block: backbone.block, blocks: backbone.blocks, width: backbone.width, stem: backbone.stem },
  head,
  classes: 21,
});
const convnextTiny = { family: "convnext-unet", depths: [3, 3, 9, 3], widths: [96, 192, 384, 768] } as const;

/**
 * Full-size configurations by name: restoration networks as published (spread one and add `pooling` for the local test-time variant), and
 * customary classifiers and segmentation networks.
 *
 * @example { ...publishedNetworks["nafnet-gopro-w32"], pooling: { kind: "local", trainingSize: [256, 256] } }
 */
export const publishedNetworks: Readonly<Record<string, NetworkConfiguration>> = {
  "nafnet-gopro-w32": { ...nafnet, ...gopro, width: 32 },
  "nafnet-gopro-w64": { ...nafnet, ...gopro, width: 64 },
  "nafnet-reds-w64": { ...nafnet, ...gopro, width: 64 },
  "nafnet-sidd-w32": { ...nafnet, ...sidd, width: 32 },
  "nafnet-sidd-w64": { ...nafnet, ...sidd, width: 64 },
  "baseline-gopro-w32": { ...baseline, ...gopro, width: 32, depthwiseExpansion: 1 },
  "baseline-gopro-w64": { ...baseline, ...gopro, width: 64, depthwiseExpansion: 2 },
  "baseline-sidd-w32": { ...baseline, ...sidd, width: 32, depthwiseExpansion: 1 },
  "baseline-sidd-w64": { ...baseline, ...sidd, width: 64, depthwiseExpansion: 2 },
  "restormer-motion-deblurring": restormer,
  "restormer-deraining": restormer,
  "restormer-defocus-deblurring": restormer,
  "restormer-gaussian-color-denoising": restormerDenoising,
  "restormer-gaussian-gray-denoising": { ...restormerDenoising, imageChannels: 1 },
  "restormer-real-denoising": restormerDenoising,
  // github.com/shashankskagnihotri/freq-restormer, whose code these conventions are.
  "restormer-boa": { ...restormer, down: "boa-as-published", up: "freq-avg-as-published" },
  "restormer-boa-split-up": { ...restormer, down: "boa-as-published", up: "split-up-as-published" },
  "restormer-lctc-7+3": { ...restormer, up: "lctc-7+3" },
  "restormer-lctc-11+3": { ...restormer, up: "lctc-11+3" },
  unet: { family: "unet", width: 64, levels: 4, outputChannels: 2, normalization: "batch", output: "plain" },
  "unet-convnext-tiny": { ...convnextTiny, decoderWidths: [512, 256, 128, 64, 32], classes: 21 },
  "unet-convnext-tiny-small": { ...convnextTiny, decoderWidths: [256, 128, 64, 32, 16], classes: 21 },
  "unet-convnext-tiny-lctc-7": { ...convnextTiny, decoderWidths: [512, 256, 128, 64, 32], classes: 21, up: "lctc-7" },
  "unet-convnext-tiny-lctc-11": { ...convnextTiny, decoderWidths: [512, 256, 128, 64, 32], classes: 21, up: "lctc-11" },
  resnet18: imagenet("basic", 2, 2, 2, 2),
  resnet34: imagenet("basic", 3, 4, 6, 3),
  resnet50: imagenet("bottleneck", 3, 4, 6, 3),
  resnet101: imagenet("bottleneck", 3, 4, 23, 3),
  "resnet8-cifar": cifar(1),
  "resnet14-cifar": cifar(2),
  "resnet20-cifar": cifar(3),
  "deeplabv3-resnet50": segmentation("deeplabv3", imagenet("bottleneck", 3, 4, 6, 3)),
  "pspnet-resnet50": segmentation("pspnet", imagenet("bottleneck", 3, 4, 6, 3)),
  "flow-small": { family: "flow", width: 16, levels: 3, radius: 3 },
  "stereo-small": { family: "stereo", width: 16, disparities: 64 },
};
