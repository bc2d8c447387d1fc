import type { Value } from "../../../engine/graph/graph.js";
import {
  add,
  concat,
  div,
  gelu,
  matMul,
  max,
  mul,
  reduceL2,
  reshape,
  softmax,
  split,
  transpose,
} from "../../../engine/operators/index.js";
import { ones } from "../initializers.js";
import { type Bias, channels, conv2d, depthwiseConv2d } from "../layers/convolution.js";
import { biasFreeLayerNorm2d, type LayerNormKind, layerNorm2d } from "../layers/layer-norm.js";
import { spatial } from "../layers/padding.js";
import type { ImageNetwork } from "../model.js";
import { type DownsamplingName, downsample, multipleFor, type UpsamplingName, upsample } from "../resampling/index.js";
import type { Scope } from "../scope.js";
import { demand } from "./demand.js";

/** Numbers for the four levels, from full resolution to an eighth of it. */
export type FourLevels = readonly [number, number, number, number];

/**
 * Restormer (Zamir et al. 2022, arXiv 2111.09881), with the resampling of BOA-Restormer (arXiv 2406.07435), of LCTC (arXiv 2311.17524) or any
 * other where asked.
 */
export interface RestormerConfiguration extends ImageNetwork {
  readonly family: "restormer";
  /** Channels of the restored image; default those of the degraded one. */
  readonly outputChannels?: number;
  /** Channels at full resolution; they double on each level. */
  readonly width: number;
  readonly blocks: FourLevels;
  readonly refinementBlocks: number;
  readonly heads: FourLevels;
  /** Hidden channels of the feed-forward part, relative to the level's. */
  readonly feedForwardExpansion: number;
  readonly normalization: LayerNormKind;
  /** Of all convolutions but the first and those that resample, which never have one; published networks have none. */
  readonly bias?: Bias;
  /** Of all three halvings; default "pixel-unshuffle". */
  readonly down?: DownsamplingName;
  /** Of all three doublings; default "pixel-shuffle". */
  readonly up?: UpsamplingName;
}

/** Height and width must be multiples of this (8 with most choices); pad with `padToMultiple(x, 8, "reflect")` as the published tests do. */
export const restormerMultiple = ({ down = "pixel-unshuffle" }: RestormerConfiguration): number =>
  Math.max(8, multipleFor(down, 3));

/** What of the network can be another function; default `transformerBlock`. */
export interface RestormerParts {
  /** A block of one's own in place of every transformer block; the input's shape is kept. */
  readonly block?: (p: Scope, x: Value, heads: number, configuration: RestormerConfiguration) => Value;
}

/**
 * Restores an image: [N, C, H, W] in [0, 1], sides multiples of 8, to the same.
 *
 * @param parts functions of one's own in place of the usual ones.
 * @example cropTo(restormer(p, padToMultiple(x, 8, "reflect"), configuration), spatial(x))
 */
export function restormer(p: Scope, image: Value, configuration: RestormerConfiguration, parts: RestormerParts = {}): Value {
  const { width, blocks, refinementBlocks, heads, outputChannels = channels(image), bias = "none" } = configuration;
  const { down = "pixel-unshuffle", up = "pixel-shuffle" } = configuration;
  demand(width % 2 === 0, "restormer", `width ${width} must be even`);
  heads.forEach((count, at) => {
    const c = width * 2 ** at;
    demand(c % count === 0, "restormer", `the ${c} channels of level ${at + 1} cannot be shared by ${count} heads`);
  });
  demand(
    outputChannels === channels(image),
    "restormer",
    `its ${outputChannels} outputChannels are added to an image of ${channels(image)}`,
  );
  const block = parts.block ?? transformerBlock;
  const level = (name: string, x: Value, count: number, at: number): Value => {
    for (let i = 0; i < count; i++) x = block(p.at(name, i), x, heads[at]!, configuration);
    return x;
  };

  const encoder1 = level(
    "encoder_level1",
    conv2d(p.at("patch_embed", "proj"), image, { out: width, kernel: 3, bias: "none" }),
    blocks[0],
    0,
  );
  const encoder2 = level("encoder_level2", halved(p.at("down1_2"), encoder1, down), blocks[1], 1);
  const encoder3 = level("encoder_level3", halved(p.at("down2_3"), encoder2, down), blocks[2], 2);
  const latent = level("latent", halved(p.at("down3_4"), encoder3, down), blocks[3], 3);

  const joined3 = concat([doubled(p.at("up4_3"), latent, up), encoder3], 1);
  const decoder3 = level("decoder_level3", conv2d(p.at("reduce_chan_level3"), joined3, { out: 4 * width, bias }), blocks[2], 2);
  const joined2 = concat([doubled(p.at("up3_2"), decoder3, up), encoder2], 1);
  const decoder2 = level("decoder_level2", conv2d(p.at("reduce_chan_level2"), joined2, { out: 2 * width, bias }), blocks[1], 1);
  const joined1 = concat([doubled(p.at("up2_1"), decoder2, up), encoder1], 1);
  const decoder1 = level("decoder_level1", joined1, blocks[0], 0);
  const refined = level("refinement", decoder1, refinementBlocks, 0);
  return add(conv2d(p.at("output"), refined, { out: outputChannels, kernel: 3, bias }), image);
}

/** Half the resolution, twice the channels. */
function halved(p: Scope, x: Value, down: DownsamplingName): Value {
  const [height, width] = spatial(x);
  return downsample(down, {
    x,
    size: [height / 2, width / 2],
    scope: p.at("body", 1),
    convolve: (v, { stride, share }) =>
      conv2d(p.at("body", 0), v, { out: (2 * channels(x)) / share, kernel: 3, stride, bias: "none" }),
    channels: "kept",
  });
}

/** Twice the resolution, half the channels. */
function doubled(p: Scope, x: Value, up: UpsamplingName): Value {
  const out = channels(x) / 2;
  return upsample(up, {
    x,
    out,
    scope: p,
    mix: (v, mixed) => conv2d(p.at("body", 0), v, { out: mixed, kernel: 3, bias: "none" }),
    spectral: p.at("body"),
    large: p.at("body"),
    small: p.at("para"),
    bias: "learned",
    groups: () => out,
  });
}

/** Normalization and transposed attention, then normalization and gated feed-forward, each added to what comes in: [N, C, H, W] to the same. */
export function transformerBlock(
  p: Scope,
  x: Value,
  heads: number,
  configuration: Pick<RestormerConfiguration, "feedForwardExpansion" | "normalization" | "bias">,
): Value {
  const norm = (scope: Scope, v: Value) =>
    configuration.normalization === "with-bias" ? layerNorm2d(scope, v, 1e-5) : biasFreeLayerNorm2d(scope, v, 1e-5);
  const attended = add(x, transposedAttention(p.at("attn"), norm(p.at("norm1", "body"), x), heads, configuration));
  return add(attended, gatedFeedForward(p.at("ffn"), norm(p.at("norm2", "body"), attended), configuration));
}

/**
 * Multi-Dconv head transposed attention: softmax(q̂ k̂ᵀ · temperature) v over channels, not pixels, with q̂ and k̂ of unit length over the
 * pixels; its cost is linear in the number of pixels.
 */
export function transposedAttention(
  p: Scope,
  x: Value,
  heads: number,
  { bias = "none" }: Pick<RestormerConfiguration, "bias"> = {},
): Value {
  const [n, c, [height, width]] = [x.shape[0]!, channels(x), spatial(x)];
  const qkv = depthwiseConv2d(p.at("qkv_dwconv"), conv2d(p.at("qkv"), x, { out: 3 * c, bias }), { kernel: 3, bias });
  const [q, k, v] = split(qkv, 1, [c, c, c]).map((part) => reshape(part, [n, heads, c / heads, height * width]));
  const similarity = matMul(unitLength(q!), transpose(unitLength(k!), [0, 1, 3, 2]));
  const attention = softmax(mul(similarity, p.parameter("temperature", [heads, 1, 1], ones)));
  return conv2d(p.at("project_out"), reshape(matMul(attention, v!), [n, c, height, width]), { out: c, bias });
}

/** x / max(‖x‖, 1e-12) along the last axis, as `torch.nn.functional.normalize`. */
function unitLength(x: Value): Value {
  return div(x, max(reduceL2(x, [-1], "keep"), 1e-12));
}

/** Gated-Dconv feed-forward: GELU of one half of the hidden channels gates the other. */
export function gatedFeedForward(
  p: Scope,
  x: Value,
  { feedForwardExpansion, bias = "none" }: Pick<RestormerConfiguration, "feedForwardExpansion" | "bias">,
): Value {
  const c = channels(x);
  const hidden = Math.floor(c * feedForwardExpansion);
  const both = depthwiseConv2d(p.at("dwconv"), conv2d(p.at("project_in"), x, { out: 2 * hidden, bias }), { kernel: 3, bias });
  const [gate, value] = split(both, 1, [hidden, hidden]);
  return conv2d(p.at("project_out"), mul(gelu(gate!), value!), { out: c, bias });
}
