import type { Value } from "../../../engine/graph/graph.js";
import { add, concat, gelu, mul, relu, transpose } from "../../../engine/operators/index.js";
import { constant, type Initializer, kaimingNormal, truncatedNormal, zeros } from "../initializers.js";
import { batchNorm2d } from "../layers/batch-norm.js";
import { channels, conv2d, convTranspose2d, depthwiseConv2d } from "../layers/convolution.js";
import { layerNorm, layerNorm2d } from "../layers/layer-norm.js";
import { linear } from "../layers/linear.js";
import type { ImageNetwork } from "../model.js";
import type { Scope } from "../scope.js";

/**
 * U-Net with a ConvNeXt encoder (Liu et al. 2022, arXiv 2201.03545), as the CosPGD paper's segmentation network; parameter names of its
 * checkpoints without their leading "1.": `encoder.` as timm's `features_only` ConvNeXt, `decoder.` of the paper's code.
 */
export interface ConvnextUnetConfiguration extends ImageNetwork {
  readonly family: "convnext-unet";
  /** Blocks and channels of the encoder's stages, at strides 4, 8, 16, 32. */
  readonly depths: readonly number[];
  readonly widths: readonly number[];
  /** Channels of the five decoder blocks, from stride 16 up to full resolution. */
  readonly decoderWidths: readonly number[];
  readonly classes: number;
  /** Side of the transposed convolutions' kernel: 2, or an odd number. */
  readonly upsamplingKernel: number;
}

/** Logits [N, classes, H, W] of normalized images [N, 3, H, W] whose sides are multiples of 32. */
export function convnextUnet(p: Scope, image: Value, configuration: ConvnextUnetConfiguration): Value {
  const skips = [...convnextStages(p.at("encoder"), image, configuration)].reverse();
  const decoder = p.at("decoder");
  const coarsest = skips.shift()!;
  let x = convBnReluTwice(decoder.at("center"), coarsest, channels(coarsest));
  configuration.decoderWidths.forEach((width, i) => {
    const block = decoder.at("blocks", i);
    x = upsample(block.at("conv_t"), x, configuration.upsamplingKernel);
    const skip = skips[i];
    x = convBnReluTwice(block, skip ? concat([x, skip], 1) : x, width);
  });
  return conv2d(decoder.at("final_conv"), x, { out: configuration.classes, initialize: kaimingNormal() });
}

function convBnReluTwice(p: Scope, x: Value, out: number): Value {
  for (const name of ["conv1", "conv2"]) {
    x = conv2d(p.at(name, "conv"), x, { out, kernel: 3, bias: "none", initialize: kaimingNormal() });
    x = relu(batchNorm2d(p.at(name, "bn"), x));
  }
  return x;
}

/** A depthwise transposed convolution to twice the resolution. */
function upsample(p: Scope, x: Value, kernel: number): Value {
  const c = channels(x);
  const exact = kernel === 2 ? {} : { padding: (kernel - 1) / 2, outputPadding: 1 };
  return convTranspose2d(p, x, { out: c, kernel, stride: 2, groups: c, ...exact });
}

/** The four stages' features, with the names of timm's `features_only` models (`stages_0.blocks.0...`). */
export function convnextStages(
  p: Scope,
  image: Value,
  { depths, widths }: Pick<ConvnextUnetConfiguration, "depths" | "widths">,
): readonly Value[] {
  let x = layerNorm2d(p.at("stem_1"), convnextConv(p.at("stem_0"), image, { out: widths[0]!, kernel: 4, stride: 4 }));
  return depths.map((depth, stage) => {
    const scope = p.at(`stages_${stage}`);
    if (stage > 0) {
      const normalized = layerNorm2d(scope.at("downsample", 0), x);
      x = convnextConv(scope.at("downsample", 1), normalized, { out: widths[stage]!, kernel: 2, stride: 2 });
    }
    for (let i = 0; i < depth; i++) x = convnextBlock(scope.at("blocks", i), x);
    return x;
  });
}

const convnextWeight: Initializer = truncatedNormal(0.02);

function convnextConv(p: Scope, x: Value, options: { out: number; kernel: number; stride: number }): Value {
  return conv2d(p, x, { ...options, padding: 0, initialize: convnextWeight, initializeBias: zeros });
}

function convnextBlock(p: Scope, input: Value): Value {
  const c = channels(input);
  const initial = { initialize: convnextWeight, initializeBias: zeros };
  let x = depthwiseConv2d(p.at("conv_dw"), input, { kernel: 7, ...initial });
  x = layerNorm(p.at("norm"), transpose(x, [0, 2, 3, 1]), 1e-6);
  x = gelu(linear(p.at("mlp", "fc1"), x, { out: 4 * c, ...initial }));
  x = linear(p.at("mlp", "fc2"), x, { out: c, ...initial });
  x = mul(x, p.parameter("gamma", [c], constant(1e-6)));
  return add(input, transpose(x, [0, 3, 1, 2]));
}
