import type { Value } from "../../../engine/graph/graph.js";
import { add, maxPool, reduceMean, relu } from "../../../engine/operators/index.js";
import { kaimingNormal } from "../initializers.js";
import { batchNorm2d } from "../layers/batch-norm.js";
import { type Conv2dOptions, channels, conv2d } from "../layers/convolution.js";
import { linear } from "../layers/linear.js";
import { spatial } from "../layers/padding.js";
import type { ImageNetwork } from "../model.js";
import { type DownsamplingName, downsample, multipleFor } from "../resampling/index.js";
import type { Scope } from "../scope.js";
import { halvedConv2d } from "./halved.js";

/** Residual networks for classification (He et al. 2016, arXiv 1512.03385) with torchvision's parameter names. */
export interface ResnetConfiguration extends ImageNetwork {
  readonly family: "resnet";
  /** Two 3x3 convolutions, or 1x1, 3x3, 1x1 with four times the channels at the end. */
  readonly block: "basic" | "bottleneck";
  /** Blocks per stage; each stage after the first halves the resolution and doubles the channels. */
  readonly blocks: readonly number[];
  /** Channels of the first stage. */
  readonly width: number;
  /** "imagenet": 7x7 with stride 2 and max pooling; "cifar": 3x3 at full resolution. */
  readonly stem: "imagenet" | "cifar";
  readonly classes: number;
  /**
   * Wherever the resolution is halved, shortcuts, stem and its max pooling included; default "strided", where the stem keeps that pooling. With
   * "flc" and "asap" a convolution of stride 2 becomes pooling and the same convolution at stride 1.
   */
  readonly down?: DownsamplingName;
}

/** What lies before the classifier. */
export type ResnetBackbone = Pick<ResnetConfiguration, "block" | "blocks" | "width" | "stem" | "down">;

/** Sides must be multiples of this. */
export const resnetMultiple = ({ blocks, stem, down = "strided" }: ResnetBackbone): number =>
  multipleFor(down, blocks.length - 1 + (stem === "imagenet" ? 2 : 0));

/** Class logits [N, classes] of images [N, C, H, W]. */
export function resnet(p: Scope, image: Value, configuration: ResnetConfiguration): Value {
  const features = resnetStages(p, image, configuration).at(-1)!;
  return linear(p.at("fc"), reduceMean(features, [2, 3]), { out: configuration.classes });
}

/**
 * The output of each stage. From stage `dilateFrom` on (counted from 0), strides are replaced by dilation as in torchvision's
 * `replace_stride_with_dilation`: segmentation networks keep an eighth of the resolution with `dilateFrom: 2`.
 */
export function resnetStages(
  p: Scope,
  image: Value,
  { block, blocks, width, stem, down = "strided" }: ResnetBackbone,
  { dilateFrom = Number.POSITIVE_INFINITY }: { readonly dilateFrom?: number } = {},
): readonly Value[] {
  let x = relu(
    convBn(p, 1, image, stem === "imagenet" ? { out: width, kernel: 7, stride: 2, down } : { out: width, kernel: 3, down }),
  );
  if (stem === "imagenet") x = stemPool(p.at("maxpool"), x, down);
  let dilation = 1;
  return blocks.map((count, stage) => {
    const dilated = stage >= dilateFrom;
    const stride = stage === 0 || dilated ? 1 : 2;
    for (let i = 0; i < count; i++) {
      const options = { out: width * 2 ** stage, stride: i === 0 ? stride : 1, dilation, down } as const;
      x = (block === "basic" ? basicBlock : bottleneck)(p.at(`layer${stage + 1}`, i), x, options);
      if (i === 0 && dilated) dilation *= 2;
    }
    return x;
  });
}

/** Where a residual block stands. */
export interface ResidualBlockOptions {
  readonly out: number;
  readonly stride: 1 | 2;
  readonly dilation: number;
  readonly down: DownsamplingName;
}

/** Two 3x3 convolutions beside a shortcut: [N, C, H, W] to [N, out, H / stride, W / stride]. */
export function basicBlock(p: Scope, input: Value, { out, stride, dilation, down }: ResidualBlockOptions): Value {
  const x = relu(convBn(p, 1, input, { out, kernel: 3, stride, dilation, down }));
  return relu(add(convBn(p, 2, x, { out, kernel: 3, dilation, down }), shortcut(p, input, { out, stride, down })));
}

/** 1x1, 3x3 and 1x1 convolutions beside a shortcut: [N, C, H, W] to [N, 4 out, H / stride, W / stride]. */
export function bottleneck(p: Scope, input: Value, { out, stride, dilation, down }: ResidualBlockOptions): Value {
  let x = relu(convBn(p, 1, input, { out, down }));
  x = relu(convBn(p, 2, x, { out, kernel: 3, stride, dilation, down }));
  return relu(add(convBn(p, 3, x, { out: 4 * out, down }), shortcut(p, input, { out: 4 * out, stride, down })));
}

function shortcut(p: Scope, input: Value, { out, stride, down }: Omit<ResidualBlockOptions, "dilation">): Value {
  if (stride === 1 && channels(input) === out) return input;
  return batchNorm2d(p.at("downsample", 1), unbiased(p.at("downsample", 0), input, { out, stride, down }));
}

type StageConv = Conv2dOptions & { readonly stride?: 1 | 2; readonly down: DownsamplingName };

function convBn(p: Scope, index: number, x: Value, options: StageConv): Value {
  return batchNorm2d(p.at(`bn${index}`), unbiased(p.at(`conv${index}`), x, options));
}

function unbiased(p: Scope, x: Value, { stride = 1, down, ...options }: StageConv): Value {
  const all = { ...options, bias: "none", initialize: kaimingNormal("out") } as const;
  return stride === 1 ? conv2d(p, x, all) : halvedConv2d(p, x, all, down);
}

/** The pooling of the stem: the network's own layer at stride 2, nothing at stride 1. */
function stemPool(p: Scope, x: Value, down: DownsamplingName): Value {
  return downsample(down, {
    x,
    size: halves(x),
    scope: p,
    convolve: (v, { stride, share }) => {
      if (stride === 2) return maxPool(v, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] });
      return share === 1 ? v : conv2d(p, v, { out: channels(v) / share, bias: "none", initialize: kaimingNormal("out") });
    },
    channels: "kept",
  });
}

/** As padded convolutions of stride 2 round. */
function halves(x: Value): readonly [height: number, width: number] {
  const [height, width] = spatial(x);
  return [Math.ceil(height / 2), Math.ceil(width / 2)];
}
