import type { Value } from "../../../engine/graph/graph.js";
import { add, maxPool, reduceMean, relu } from "../../../engine/operators/index.js";
import { kaimingNormal } from "../initializers.js";
import { batchNorm2d } from "../layers/batch-norm.js";
import { type Conv2dOptions, channels, conv2d } from "../layers/convolution.js";
import { linear } from "../layers/linear.js";
import type { ImageNetwork } from "../model.js";
import type { Scope } from "../scope.js";

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
}

/** What lies before the classifier. */
export type ResnetBackbone = Pick<ResnetConfiguration, "block" | "blocks" | "width" | "stem">;

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
  { block, blocks, width, stem }: ResnetBackbone,
  { dilateFrom = Number.POSITIVE_INFINITY }: { readonly dilateFrom?: number } = {},
): readonly Value[] {
  let x = relu(convBn(p, 1, image, stem === "imagenet" ? { out: width, kernel: 7, stride: 2 } : { out: width, kernel: 3 }));
  if (stem === "imagenet") x = maxPool(x, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] });
  let dilation = 1;
  return blocks.map((count, stage) => {
    const dilated = stage >= dilateFrom;
    const stride = stage === 0 || dilated ? 1 : 2;
    for (let i = 0; i < count; i++) {
      const options = { out: width * 2 ** stage, stride: i === 0 ? stride : 1, dilation };
      x = (block === "basic" ? basicBlock : bottleneck)(p.at(`layer${stage + 1}`, i), x, options);
      if (i === 0 && dilated) dilation *= 2;
    }
    return x;
  });
}

interface BlockOptions {
  readonly out: number;
  readonly stride: number;
  readonly dilation: number;
}

function basicBlock(p: Scope, input: Value, { out, stride, dilation }: BlockOptions): Value {
  const x = relu(convBn(p, 1, input, { out, kernel: 3, stride, dilation }));
  return relu(add(convBn(p, 2, x, { out, kernel: 3, dilation }), shortcut(p, input, out, stride)));
}

function bottleneck(p: Scope, input: Value, { out, stride, dilation }: BlockOptions): Value {
  let x = relu(convBn(p, 1, input, { out }));
  x = relu(convBn(p, 2, x, { out, kernel: 3, stride, dilation }));
  return relu(add(convBn(p, 3, x, { out: 4 * out }), shortcut(p, input, 4 * out, stride)));
}

function shortcut(p: Scope, input: Value, out: number, stride: number): Value {
  if (stride === 1 && channels(input) === out) return input;
  return batchNorm2d(p.at("downsample", 1), unbiased(p.at("downsample", 0), input, { out, stride }));
}

function convBn(p: Scope, index: number, x: Value, options: Conv2dOptions): Value {
  return batchNorm2d(p.at(`bn${index}`), unbiased(p.at(`conv${index}`), x, options));
}

function unbiased(p: Scope, x: Value, options: Conv2dOptions): Value {
  return conv2d(p, x, { ...options, bias: "none", initialize: kaimingNormal("out") });
}
