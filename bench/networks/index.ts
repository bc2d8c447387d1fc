import { foldBatchNormalization } from "../../src/engine/compile/fold-batch-normalization.js";
import { Graph } from "../../src/engine/graph/graph.js";
import type { Shape } from "../../src/engine/tensor/tensor.js";
import type { Network } from "../../src/vision/nn/model.js";
import { nafnet } from "../../src/vision/nn/networks/nafnet.js";
import { resnet } from "../../src/vision/nn/networks/resnet.js";
import { restormer } from "../../src/vision/nn/networks/restormer.js";
import { segmentationNetwork } from "../../src/vision/nn/networks/segmentation.js";
import { unet } from "../../src/vision/nn/networks/unet.js";
import { Parameters } from "../../src/vision/nn/scope.js";
import { convnextTiny } from "./convnext.js";
import { flowByWarping } from "./flow.js";
import { mobilenetV2 } from "./mobilenet.js";
import { vitTiny } from "./vit.js";
import { randomWeights } from "./weights.js";

/** One network at the size at which it is measured. */
export interface BenchNetwork {
  readonly name: string;
  readonly input: Shape;
  readonly network: Network;
  /** Variance of layer weights times fan-in: 2 keeps the size of activations behind ReLU, 1 behind none. */
  readonly gain: number;
  /** Time of forward + input gradient over forward that the study of hand-tuned graphs reached on ONNX Runtime CPU, two threads. */
  readonly studied?: number;
}

const resnet18 = { block: "basic", blocks: [2, 2, 2, 2], width: 64, stem: "imagenet" } as const;

export const benchNetworks: readonly BenchNetwork[] = [
  {
    name: "ResNet-18",
    input: [4, 3, 224, 224],
    network: (p, x) => resnet(p, x!, { family: "resnet", ...resnet18, classes: 1000 }),
    gain: 1,
    studied: 2.65,
  },
  { name: "MobileNetV2", input: [4, 3, 224, 224], network: (p, x) => mobilenetV2(p, x!), gain: 2, studied: 4.95 },
  {
    name: "U-Net base 32",
    input: [1, 3, 256, 256],
    network: (p, x) =>
      unet(p, x!, { family: "unet", width: 32, levels: 4, outputChannels: 3, normalization: "none", output: "plain" }),
    gain: 2,
    studied: 2.2,
  },
  {
    name: "DeepLabV3-R18",
    input: [2, 3, 256, 256],
    network: (p, x) => segmentationNetwork(p, x!, { family: "segmentation", backbone: resnet18, head: "deeplabv3", classes: 21 }),
    gain: 1,
    studied: 1.8,
  },
  { name: "ConvNeXt-T", input: [2, 3, 224, 224], network: (p, x) => convnextTiny(p, x!), gain: 1, studied: 2.15 },
  { name: "ViT-Ti/16", input: [4, 3, 224, 224], network: (p, x) => vitTiny(p, x!), gain: 1, studied: 2.55 },
  {
    name: "NAFNet w32",
    input: [1, 3, 128, 128],
    network: (p, x) =>
      nafnet(p, x!, {
        family: "nafnet",
        activation: "simple-gate",
        attention: "simplified-channel",
        width: 32,
        encoderBlocks: [1, 1, 1, 28],
        middleBlocks: 1,
        decoderBlocks: [1, 1, 1, 1],
      }),
    gain: 1,
    studied: 1.95,
  },
  {
    name: "small Restormer",
    input: [1, 3, 128, 128],
    network: (p, x) =>
      restormer(p, x!, {
        family: "restormer",
        width: 32,
        blocks: [2, 3, 3, 4],
        refinementBlocks: 2,
        heads: [1, 2, 4, 8],
        feedForwardExpansion: 2.66,
        normalization: "with-bias",
      }),
    gain: 1,
    studied: 2.2,
  },
  { name: "flow by warping", input: [1, 6, 256, 256], network: (p, x) => flowByWarping(p, x!), gain: 2 },
];

/** The network with random weights, batch normalization folded: input "x", output "y". */
export function forwardGraph({ network, input, gain }: BenchNetwork): Graph {
  const graph = new Graph();
  const x = graph.input("x", "float32", input);
  graph.output("y", network(new Parameters(graph, randomWeights(gain)).scope, x));
  return foldBatchNormalization(graph);
}
