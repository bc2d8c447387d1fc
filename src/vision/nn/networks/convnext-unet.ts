import type { Value } from "../../../engine/graph/graph.js";
import { add, concat, gelu, mul, relu, transpose } from "../../../engine/operators/index.js";
import { constant, type Initializer, kaimingNormal, truncatedNormal, zeros } from "../initializers.js";
import { batchNorm2d } from "../layers/batch-norm.js";
import { type Conv2dOptions, channels, conv2d, depthwiseConv2d } from "../layers/convolution.js";
import { layerNorm, layerNorm2d } from "../layers/layer-norm.js";
import { linear } from "../layers/linear.js";
import { spatial } from "../layers/padding.js";
import type { ImageNetwork } from "../model.js";
import { type DownsamplingName, downsample, multipleFor, type UpsamplingName, upsample } from "../resampling/index.js";
import type { Scope } from "../scope.js";
import { demand } from "./demand.js";

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
  /** Between the encoder's stages; default "strided". Its stem cuts patches of 4x4 pixels as ever. */
  readonly down?: DownsamplingName;
  /** Of the decoder, channel by channel; default "transposed-2", in the paper up to "lctc-11+3". */
  readonly up?: UpsamplingName;
  /** Side of the kernels in the decoder's blocks; default 3. */
  readonly decoderKernel?: number;
}

/** Sides must be multiples of this. */
export const convnextUnetMultiple = ({ depths, down = "strided" }: ConvnextUnetConfiguration): number =>
  Math.max(2 ** (depths.length + 1), 4 * multipleFor(down, depths.length - 1));

/** Logits [N, classes, H, W] of normalized images [N, 3, H, W] whose sides are multiples of 32. */
export function convnextUnet(p: Scope, image: Value, configuration: ConvnextUnetConfiguration): Value {
  const skips = [...convnextStages(p.at("encoder"), image, configuration)].reverse();
  const { up = "transposed-2", decoderKernel = 3 } = configuration;
  demand(decoderKernel % 2 === 1, "convnext-unet", `decoderKernel ${decoderKernel} must be odd`);
  const decoder = p.at("decoder");
  const coarsest = skips.shift()!;
  let x = convBnReluTwice(decoder.at("center"), coarsest, channels(coarsest), 3);
  configuration.decoderWidths.forEach((width, i) => {
    const block = decoder.at("blocks", i);
    x = doubled(block.at("conv_t"), x, up);
    const skip = skips[i];
    x = convBnReluTwice(block, skip ? concat([x, skip], 1) : x, width, decoderKernel);
  });
  return conv2d(decoder.at("final_conv"), x, { out: configuration.classes, initialize: kaimingNormal() });
}

function convBnReluTwice(p: Scope, x: Value, out: number, kernel: number): Value {
  for (const name of ["conv1", "conv2"]) {
    x = conv2d(p.at(name, "conv"), x, { out, kernel, bias: "none", initialize: kaimingNormal() });
    x = relu(batchNorm2d(p.at(name, "bn"), x));
  }
  return x;
}

/** Twice the resolution, channel by channel where the choice can. */
function doubled(p: Scope, x: Value, up: UpsamplingName): Value {
  const out = channels(x);
  return upsample(up, {
    x,
    out,
    scope: p,
    mix: (v, mixed) => conv2d(p.at(0), v, { out: mixed, bias: "none", initialize: kaimingNormal() }),
    spectral: p.at("body"),
    large: p,
    small: p.at("para"),
    bias: "learned",
    groups: () => out,
  });
}

function halved(p: Scope, x: Value, out: number, down: DownsamplingName): Value {
  const [height, width] = spatial(x);
  return downsample(down, {
    x,
    size: [height / 2, width / 2],
    scope: p,
    convolve: (v, { stride, share }) => convnextConv(p, v, { out: out / share, kernel: stride === 2 ? 2 : 3, stride }),
    channels: "kept",
  });
}

/** The four stages' features, with the names of timm's `features_only` models (`stages_0.blocks.0...`). */
export function convnextStages(
  p: Scope,
  image: Value,
  { depths, widths, down = "strided" }: Pick<ConvnextUnetConfiguration, "depths" | "widths" | "down">,
): readonly Value[] {
  let x = layerNorm2d(p.at("stem_1"), convnextConv(p.at("stem_0"), image, { out: widths[0]!, kernel: 4, stride: 4, padding: 0 }));
  return depths.map((depth, stage) => {
    const scope = p.at(`stages_${stage}`);
    if (stage > 0) {
      const normalized = layerNorm2d(scope.at("downsample", 0), x);
      x = halved(scope.at("downsample", 1), normalized, widths[stage]!, down);
    }
    for (let i = 0; i < depth; i++) x = convnextBlock(scope.at("blocks", i), x);
    return x;
  });
}

const convnextWeight: Initializer = truncatedNormal(0.02);

function convnextConv(p: Scope, x: Value, options: Conv2dOptions): Value {
  return conv2d(p, x, { ...options, initialize: convnextWeight, initializeBias: zeros });
}

/** input + γ · mlp(norm(depthwise 7x7(input))): [N, C, H, W] to the same. */
export function convnextBlock(p: Scope, input: Value): Value {
  const c = channels(input);
  const initial = { initialize: convnextWeight, initializeBias: zeros };
  let x = depthwiseConv2d(p.at("conv_dw"), input, { kernel: 7, ...initial });
  x = layerNorm(p.at("norm"), transpose(x, [0, 2, 3, 1]), 1e-6);
  x = gelu(linear(p.at("mlp", "fc1"), x, { out: 4 * c, ...initial }));
  x = linear(p.at("mlp", "fc2"), x, { out: c, ...initial });
  x = mul(x, p.parameter("gamma", [c], constant(1e-6)));
  return add(input, transpose(x, [0, 3, 1, 2]));
}
