import type { Value } from "../../../engine/graph/graph.js";
import { add, gelu, mul, relu, sigmoid, split } from "../../../engine/operators/index.js";
import { zeros } from "../initializers.js";
import { channels, conv2d, depthwiseConv2d } from "../layers/convolution.js";
import { layerNorm2d } from "../layers/layer-norm.js";
import { cropTo, padToMultiple, roundUp, spatial } from "../layers/padding.js";
import { globalAveragePool2d, localAveragePool2d } from "../layers/pooling.js";
import type { ImageNetwork } from "../model.js";
import { type DownsamplingName, downsample, type UpsamplingName, upsample } from "../resampling/index.js";
import type { Scope } from "../scope.js";
import { demand } from "./demand.js";

/** The nonlinearity; "simple-gate" multiplies one half of the channels with the other. */
export type NafnetActivation = "gelu" | "relu" | "simple-gate";

/** Squeeze-and-excitation (two layers, ReLU, sigmoid), or one linear layer and nothing else. */
export type NafnetAttention = "channel" | "simplified-channel";

/** Over what the channel attention averages: the image, or windows as wide as in training times 1.5 (TLC, Chu et al. 2022). */
export type NafnetPooling =
  | { readonly kind: "global" }
  | { readonly kind: "local"; readonly trainingSize: readonly [height: number, width: number] };

/**
 * Baseline and NAFNet of "Simple Baselines for Image Restoration" (Chen et al. 2022, arXiv 2204.04676) and what lies between:
 * Baseline = gelu + channel, NAFNet = simple-gate + simplified-channel.
 */
export interface NafnetConfiguration extends ImageNetwork {
  readonly family: "nafnet";
  readonly activation: NafnetActivation;
  readonly attention: NafnetAttention;
  /** Channels at full resolution; they double on each level. */
  readonly width: number;
  /** Blocks per encoder level, in the middle, per decoder level (from the coarsest up). */
  readonly encoderBlocks: readonly number[];
  readonly middleBlocks: number;
  readonly decoderBlocks: readonly number[];
  /** Expansion of the block's depthwise and of its pixel-wise half; default 2. Published Baselines of width 32 have a depthwise one of 1. */
  readonly depthwiseExpansion?: number;
  readonly feedForwardExpansion?: number;
  /** Default global. Published test results use local. */
  readonly pooling?: NafnetPooling;
  /**
   * Default "strided". With "boa" and "pixel-unshuffle" nothing is mixed before and the channels quadruple on each level instead of doubling, as
   * in the authors' code of BOA networks (arXiv 2406.07435 v2): take fewer levels or a smaller width.
   */
  readonly down?: DownsamplingName;
  /** Default "pixel-shuffle". */
  readonly up?: UpsamplingName;
  /** Side of the depthwise kernel in the decoder's blocks; default 3, as everywhere else. */
  readonly decoderKernel?: number;
}

/** What of a block can be another function; default: what the configuration says. All else of the network stays. */
export interface NafBlockParts {
  /** The nonlinearity behind the depthwise convolution and within the feed-forward half. It may change the number of channels, as the simple gate does. */
  readonly gate?: (x: Value) => Value;
  /** The weights of the channels, [N, C, 1, 1] or of x's size, from what was pooled of x. */
  readonly attention?: (p: Scope, pooled: Value) => Value;
}

/** A block of one's own, in place of every `nafBlock`: the input's shape is kept. */
export interface NafnetParts extends NafBlockParts {
  readonly block?: (p: Scope, x: Value, options: NafBlockOptions) => Value;
}

/** Where a block stands. */
export interface NafBlockOptions {
  readonly configuration: Pick<NafnetConfiguration, "activation" | "attention" | "depthwiseExpansion" | "feedForwardExpansion">;
  /** Over what the channel attention averages; default the whole image. */
  readonly pool?: (x: Value) => Value;
  /** Side of the depthwise kernel; default 3. */
  readonly kernel?: number;
}

/**
 * Restores an image: [N, C, H, W] in [0, 1] to the same. Any size: zeros are added at the bottom and right inside and cut off again.
 *
 * @param parts functions of one's own in place of the usual ones.
 * @example nafnet(parameters.scope, x, publishedNetworks["nafnet-gopro-w32"])
 * @example nafnet(p, x, configuration, { gate: (v) => mul(v, sigmoid(v)) })
 */
export function nafnet(p: Scope, image: Value, configuration: NafnetConfiguration, parts: NafnetParts = {}): Value {
  const { width, encoderBlocks, middleBlocks, decoderBlocks, pooling = { kind: "global" } } = configuration;
  const { down = "strided", up = "pixel-shuffle", decoderKernel = 3 } = configuration;
  checkConfiguration(configuration);
  const levels = encoderBlocks.length;
  const input = padToMultiple(image, 2 ** levels, "constant");
  const blocks = (scope: Scope, x: Value, count: number, level: number, kernel = 3): Value => {
    const pool = poolAt(pooling, level, levels);
    const block = parts.block ?? ((q, v, options) => nafBlock(q, v, options, parts));
    for (let i = 0; i < count; i++) x = block(scope.at(i), x, { configuration, pool, kernel });
    return x;
  };

  let x = conv2d(p.at("intro"), input, { out: width, kernel: 3 });
  const skips: Value[] = [];
  encoderBlocks.forEach((count, level) => {
    x = blocks(p.at("encoders", level), x, count, level);
    skips.push(x);
    x = halved(p.at("downs", level), x, down);
  });
  x = blocks(p.at("middle_blks"), x, middleBlocks, levels);
  decoderBlocks.forEach((count, i) => {
    const level = levels - 1 - i;
    x = doubled(p.at("ups", i), x, channels(skips[level]!), up);
    x = blocks(p.at("decoders", i), add(x, skips[level]!), count, level, decoderKernel);
  });
  x = conv2d(p.at("ending"), x, { out: channels(image), kernel: 3 });
  return cropTo(add(x, input), spatial(image));
}

function halved(p: Scope, x: Value, down: DownsamplingName): Value {
  const [height, width] = spatial(x);
  return downsample(down, {
    x,
    size: [height / 2, width / 2],
    scope: p,
    convolve: (v, { stride, share }) => conv2d(p, v, { out: (2 * channels(x)) / share, kernel: stride === 2 ? 2 : 3, stride }),
    channels: "free",
  });
}

/** Transposed convolutions are full and without bias, and named as in the authors' code. */
function doubled(p: Scope, x: Value, out: number, up: UpsamplingName): Value {
  return upsample(up, {
    x,
    out,
    scope: p,
    mix: (v, mixed) => conv2d(p.at(0), v, { out: mixed, bias: "none" }),
    spectral: p.at("body"),
    large: p.at("large_path"),
    small: p.at("small_path"),
    bias: "none",
    groups: () => 1,
  });
}

function checkConfiguration(configuration: NafnetConfiguration): void {
  const { encoderBlocks, decoderBlocks, width, activation, attention } = configuration;
  const { depthwiseExpansion = 2, feedForwardExpansion = 2 } = configuration;
  demand(
    encoderBlocks.length === decoderBlocks.length,
    "nafnet",
    `encoderBlocks has ${encoderBlocks.length} levels and decoderBlocks ${decoderBlocks.length}, but what goes down must come up`,
  );
  const { decoderKernel = 3 } = configuration;
  demand(decoderKernel % 2 === 1, "nafnet", `decoderKernel ${decoderKernel} must be odd`);
  // A gate halves the channels; squeezing the attention halves them once more.
  const gate = activation === "simple-gate" ? 2 : 1;
  const parts = { depthwiseExpansion: gate * (attention === "channel" ? 2 : 1), feedForwardExpansion: gate };
  for (const [name, expansion] of Object.entries({ depthwiseExpansion, feedForwardExpansion })) {
    const divisor = parts[name as keyof typeof parts];
    demand(
      (width * expansion) % divisor === 0,
      "nafnet",
      `width ${width} times ${name} ${expansion} must be a whole number${divisor > 1 ? ` that ${divisor} divides` : ""}`,
    );
  }
}

type Pool = (x: Value) => Value;

/**
 * input + β · attended(gate(depthwise(h))), then the same with a feed-forward half; h is normalized over the channels (Chen et al. 2022, figure 3).
 *
 * @param input [N, C, H, W], and so is the result.
 */
export function nafBlock(
  p: Scope,
  input: Value,
  { configuration, pool = globalAveragePool2d, kernel = 3 }: NafBlockOptions,
  parts: NafBlockParts = {},
): Value {
  const { activation, attention, depthwiseExpansion = 2, feedForwardExpansion = 2 } = configuration;
  const c = channels(input);
  const gate = parts.gate ?? ((v: Value) => activate(v, activation));
  const attend =
    parts.attention ??
    (attention === "channel"
      ? (q: Scope, pooled: Value) => channelAttention(q.at("se"), pooled)
      : (q: Scope, pooled: Value) => conv2d(q.at("sca", 1), pooled, { out: channels(pooled) }));
  let x = layerNorm2d(p.at("norm1"), input);
  x = conv2d(p.at("conv1"), x, { out: depthwiseExpansion * c });
  x = depthwiseConv2d(p.at("conv2"), x, { kernel });
  x = gate(x);
  x = mul(x, attend(p, pool(x)));
  x = conv2d(p.at("conv3"), x, { out: c });
  const middle = add(input, mul(x, p.parameter("beta", [1, c, 1, 1], zeros)));

  x = layerNorm2d(p.at("norm2"), middle);
  x = conv2d(p.at("conv4"), x, { out: feedForwardExpansion * c });
  x = gate(x);
  x = conv2d(p.at("conv5"), x, { out: c });
  return add(middle, mul(x, p.parameter("gamma", [1, c, 1, 1], zeros)));
}

function activate(x: Value, activation: NafnetActivation): Value {
  if (activation === "gelu") return gelu(x);
  return activation === "relu" ? relu(x) : simpleGate(x);
}

/** One half of the channels times the other. */
export function simpleGate(x: Value): Value {
  const half = channels(x) / 2;
  const [a, b] = split(x, 1, [half, half]);
  return mul(a!, b!);
}

/** Squeeze-and-excitation: weights in [0, 1] for each channel of what was pooled. */
export function channelAttention(p: Scope, pooled: Value): Value {
  const c = channels(pooled);
  return sigmoid(conv2d(p.at(3), relu(conv2d(p.at(1), pooled, { out: c / 2 })), { out: c }));
}

/**
 * TLC measures its windows once, on an image of the training size: a level that is then h pixels high gets windows of
 * ⌊h · ⌊1.5 · training height⌋ / training height⌋ rows, likewise columns.
 */
function poolAt(pooling: NafnetPooling, level: number, levels: number): Pool {
  if (pooling.kind === "global") return globalAveragePool2d;
  const window = pooling.trainingSize.map((size) =>
    Math.floor(((roundUp(size, 2 ** levels) / 2 ** level) * Math.floor(1.5 * size)) / size),
  ) as [number, number];
  return (x) => localAveragePool2d(x, window);
}
