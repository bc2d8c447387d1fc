import type { Value } from "../../src/engine/graph/graph.js";
import { add, concat, expand, gather, gelu, reshape, transpose } from "../../src/engine/operators/index.js";
import { tensor } from "../../src/engine/tensor/tensor.js";
import { truncatedNormal } from "../../src/vision/nn/initializers.js";
import { multiHeadAttention } from "../../src/vision/nn/layers/attention.js";
import { conv2d } from "../../src/vision/nn/layers/convolution.js";
import { layerNorm } from "../../src/vision/nn/layers/layer-norm.js";
import { linear } from "../../src/vision/nn/layers/linear.js";
import type { Scope } from "../../src/vision/nn/scope.js";

/** Sizes of a vision transformer. */
export interface VitSizes {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly patch: number;
}

/** ViT (Dosovitskiy et al. 2021, arXiv 2010.11929; Touvron et al. 2021): class logits of [N, 3, H, W]. */
export function vit(p: Scope, image: Value, { width, depth, heads, patch }: VitSizes): Value {
  const patches = conv2d(p.at("patch_embed"), image, { out: width, kernel: patch, stride: patch });
  const [n, , height, columns] = patches.shape as [number, number, number, number];
  const tokens = transpose(reshape(patches, [n, width, height * columns]), [0, 2, 1]);
  const classToken = expand(p.parameter("cls_token", [1, 1, width], truncatedNormal(0.02)), [n, 1, width]);
  let x = add(concat([classToken, tokens], 1), p.parameter("pos_embed", [1, 1 + height * columns, width], truncatedNormal(0.02)));
  for (let i = 0; i < depth; i++) x = vitBlock(p.at("blocks", i), x, heads, (attend) => attend);
  const first = gather(layerNorm(p.at("norm"), x, 1e-6), x.graph.constant(tensor("int64", [], [0])), 1);
  return linear(p.at("head"), first, { out: 1000 });
}

/** Attention and a perceptron over the last axis, each behind a normalization. `within` says which tokens see each other. */
export function vitBlock(
  p: Scope,
  x: Value,
  heads: number,
  within: (attend: (tokens: Value) => Value) => (tokens: Value) => Value,
): Value {
  const width = x.shape.at(-1)!;
  const attended = add(x, within((t) => multiHeadAttention(p.at("attn"), t, heads))(layerNorm(p.at("norm1"), x, 1e-6)));
  const hidden = gelu(linear(p.at("mlp", "fc1"), layerNorm(p.at("norm2"), attended, 1e-6), { out: 4 * width }));
  return add(attended, linear(p.at("mlp", "fc2"), hidden, { out: width }));
}

/** ViT-Ti/16. */
export const vitTiny = (p: Scope, image: Value): Value => vit(p, image, { width: 192, depth: 12, heads: 3, patch: 16 });
