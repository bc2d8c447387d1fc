import type { Value } from "../../../engine/graph/graph.js";
import {
  add,
  concat,
  div,
  gelu,
  matMul,
  max,
  mul,
  pixelShuffle,
  pixelUnshuffle,
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
import type { Scope } from "../scope.js";
import { demand } from "./demand.js";

/** Numbers for the four levels, from full resolution to an eighth of it. */
export type FourLevels = readonly [number, number, number, number];

/** Restormer (Zamir et al. 2022, arXiv 2111.09881) with pixel-shuffle resampling. */
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
  /** Of all convolutions; published networks have none. */
  readonly bias?: Bias;
}

/** Height and width must be multiples of this; pad with `padToMultiple(x, restormerMultiple, "reflect")` as the published tests do. */
export const restormerMultiple = 8;

/**
 * Restores an image: [N, C, H, W] in [0, 1], sides multiples of 8, to the same.
 *
 * @example cropTo(restormer(p, padToMultiple(x, 8, "reflect"), configuration), spatial(x))
 */
export function restormer(p: Scope, image: Value, configuration: RestormerConfiguration): Value {
  const { width, blocks, refinementBlocks, heads, outputChannels = channels(image), bias = "none" } = configuration;
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
  const level = (name: string, x: Value, count: number, at: number): Value => {
    for (let i = 0; i < count; i++) x = transformerBlock(p.at(name, i), x, heads[at]!, configuration);
    return x;
  };

  const encoder1 = level(
    "encoder_level1",
    conv2d(p.at("patch_embed", "proj"), image, { out: width, kernel: 3, bias }),
    blocks[0],
    0,
  );
  const encoder2 = level("encoder_level2", downsample(p.at("down1_2"), encoder1), blocks[1], 1);
  const encoder3 = level("encoder_level3", downsample(p.at("down2_3"), encoder2), blocks[2], 2);
  const latent = level("latent", downsample(p.at("down3_4"), encoder3), blocks[3], 3);

  const joined3 = concat([upsample(p.at("up4_3"), latent), encoder3], 1);
  const decoder3 = level("decoder_level3", conv2d(p.at("reduce_chan_level3"), joined3, { out: 4 * width, bias }), blocks[2], 2);
  const joined2 = concat([upsample(p.at("up3_2"), decoder3), encoder2], 1);
  const decoder2 = level("decoder_level2", conv2d(p.at("reduce_chan_level2"), joined2, { out: 2 * width, bias }), blocks[1], 1);
  const joined1 = concat([upsample(p.at("up2_1"), decoder2), encoder1], 1);
  const decoder1 = level("decoder_level1", joined1, blocks[0], 0);
  const refined = level("refinement", decoder1, refinementBlocks, 0);
  return add(conv2d(p.at("output"), refined, { out: outputChannels, kernel: 3, bias }), image);
}

/** Half the resolution, twice the channels. */
function downsample(p: Scope, x: Value): Value {
  return pixelUnshuffle(conv2d(p.at("body", 0), x, { out: channels(x) / 2, kernel: 3, bias: "none" }), 2);
}

/** Twice the resolution, half the channels. */
function upsample(p: Scope, x: Value): Value {
  return pixelShuffle(conv2d(p.at("body", 0), x, { out: channels(x) * 2, kernel: 3, bias: "none" }), 2);
}

function transformerBlock(p: Scope, x: Value, heads: number, configuration: RestormerConfiguration): Value {
  const norm = (scope: Scope, v: Value) =>
    configuration.normalization === "with-bias" ? layerNorm2d(scope, v, 1e-5) : biasFreeLayerNorm2d(scope, v, 1e-5);
  const attended = add(x, transposedAttention(p.at("attn"), norm(p.at("norm1", "body"), x), heads, configuration));
  return add(attended, gatedFeedForward(p.at("ffn"), norm(p.at("norm2", "body"), attended), configuration));
}

/**
 * Multi-Dconv head transposed attention: softmax(q̂ k̂ᵀ · temperature) v over channels, not pixels, with q̂ and k̂ of unit length over the
 * pixels; its cost is linear in the number of pixels.
 */
function transposedAttention(p: Scope, x: Value, heads: number, { bias = "none" }: RestormerConfiguration): Value {
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
function gatedFeedForward(p: Scope, x: Value, { feedForwardExpansion, bias = "none" }: RestormerConfiguration): Value {
  const c = channels(x);
  const hidden = Math.floor(c * feedForwardExpansion);
  const both = depthwiseConv2d(p.at("dwconv"), conv2d(p.at("project_in"), x, { out: 2 * hidden, bias }), { kernel: 3, bias });
  const [gate, value] = split(both, 1, [hidden, hidden]);
  return conv2d(p.at("project_out"), mul(gelu(gate!), value!), { out: c, bias });
}
