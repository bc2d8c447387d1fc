import type { Value } from "../../../engine/graph/graph.js";
import { add, concat, pad, relu } from "../../../engine/operators/index.js";
import { batchNorm2d } from "../layers/batch-norm.js";
import { channels, conv2d } from "../layers/convolution.js";
import { spatial } from "../layers/padding.js";
import type { ImageNetwork } from "../model.js";
import { type DownsamplingName, downsample, type UpsamplingName, upsample } from "../resampling/index.js";
import type { Scope } from "../scope.js";
import { demand } from "./demand.js";

/** U-Net (Ronneberger et al. 2015, arXiv 1505.04597) with the parameter names of the widespread milesial/Pytorch-UNet. */
export interface UnetConfiguration extends ImageNetwork {
  readonly family: "unet";
  /** Channels at full resolution; they double on each level. */
  readonly width: number;
  /** How often the resolution is halved. */
  readonly levels: number;
  /** Classes of a segmentation, channels of a restored image. */
  readonly outputChannels: number;
  readonly normalization: "batch" | "none";
  /** "plain": logits or values; "residual": the network's result is added to its input (restoration). */
  readonly output: "plain" | "residual";
  /** Default "max-pool". */
  readonly down?: DownsamplingName;
  /** Default "transposed-2". */
  readonly up?: UpsamplingName;
}

/** What of the network can be another function; default `doubleConv`. */
export interface UnetParts {
  /** A block of one's own on each level, on the way down and up: [N, C, H, W] to [N, out, H, W]. */
  readonly block?: (p: Scope, x: Value, out: number, normalization: UnetConfiguration["normalization"]) => Value;
}

/** [N, C, H, W] of any size to [N, outputChannels, H, W]. */
export function unet(p: Scope, image: Value, configuration: UnetConfiguration, parts: UnetParts = {}): Value {
  const block = parts.block ?? doubleConv;
  const { width, levels, outputChannels, normalization, output, down = "max-pool", up = "transposed-2" } = configuration;
  demand(
    Math.min(...spatial(image)) >= 2 ** levels,
    "unet",
    `an image of ${spatial(image).join("x")} cannot be halved ${levels} times`,
  );
  demand(
    output === "plain" || outputChannels === channels(image),
    "unet",
    `its ${outputChannels} outputChannels are added to an image of ${channels(image)}`,
  );
  const skips: Value[] = [];
  let x = block(p.at("inc"), image, width, normalization);
  for (let level = 1; level <= levels; level++) {
    skips.push(x);
    x = halved(p.at(`down${level}`, "maxpool_conv", 0), x, down);
    x = block(p.at(`down${level}`, "maxpool_conv", 1), x, width * 2 ** level, normalization);
  }
  for (let level = 1; level <= levels; level++) {
    const skip = skips.pop()!;
    const scope = p.at(`up${level}`);
    x = doubled(scope.at("up"), x, channels(skip), up);
    x = block(scope.at("conv"), concat([skip, padAround(x, spatial(skip))], 1), channels(skip), normalization);
  }
  x = conv2d(p.at("outc", "conv"), x, { out: outputChannels });
  return output === "residual" ? add(x, image) : x;
}

function halved(p: Scope, x: Value, down: DownsamplingName): Value {
  const [height, width] = spatial(x);
  return downsample(down, {
    x,
    size: [Math.floor(height / 2), Math.floor(width / 2)],
    scope: p,
    convolve: (v, { stride }) => (stride === 1 ? v : conv2d(p, v, { out: channels(v), kernel: 2, stride })),
    channels: "free",
  });
}

/** Large transposed kernels are grouped, as in the authors' U-Net; the customary small ones are full. */
function doubled(p: Scope, x: Value, out: number, up: UpsamplingName): Value {
  return upsample(up, {
    x,
    out,
    scope: p,
    mix: (v, mixed) => conv2d(p.at(0), v, { out: mixed }),
    spectral: p.at("body"),
    large: p,
    small: p.at("para"),
    bias: "learned",
    groups: (kernel) => (kernel > 3 ? out : 1),
  });
}

/** Twice: a 3x3 convolution, normalization where there is one, ReLU. */
export function doubleConv(p: Scope, x: Value, out: number, normalization: UnetConfiguration["normalization"]): Value {
  for (const index of [0, 3]) {
    x = conv2d(p.at("double_conv", index), x, { out, kernel: 3, bias: normalization === "batch" ? "none" : "learned" });
    if (normalization === "batch") x = batchNorm2d(p.at("double_conv", index + 1), x);
    x = relu(x);
  }
  return x;
}

/** Makes up for the odd row or column that pooling dropped. */
function padAround(x: Value, [height, width]: readonly [number, number]): Value {
  const [h, w] = spatial(x);
  const [top, left] = [Math.floor((height - h) / 2), Math.floor((width - w) / 2)];
  return pad(x, [0, 0, top, left, 0, 0, height - h - top, width - w - left]);
}
