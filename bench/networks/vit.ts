import type { Value } from "../../src/engine/graph/graph.js";
import { add, concat, expand, gather, gelu, reshape, transpose } from "../../src/engine/operators/index.js";
import { tensor } from "../../src/engine/tensor/tensor.js";
import { truncatedNormal } from "../../src/vision/nn/initializers.js";
import { multiHeadAttention } from "../../src/vision/nn/layers/attention.js";
import { conv2d } from "../../src/vision/nn/layers/convolution.js";
import { layerNorm } from "../../src/vision/nn/layers/layer-norm.js";
import { linear } from "../../src/vision/nn/layers/linear.js";
import type { Scope } from "../../src/vision/nn/scope.js";

const [width, depth, heads, patch] = [192, 12, 3, 16];

/** ViT-Ti/16 (Dosovitskiy et al. 2021, arXiv 2010.11929; Touvron et al. 2021): class logits of [N, 3, H, W]. */
export function vitTiny(p: Scope, image: Value): Value {
  const patches = conv2d(p.at("patch_embed"), image, { out: width, kernel: patch, stride: patch });
  const [n, , height, columns] = patches.shape as [number, number, number, number];
  const tokens = transpose(reshape(patches, [n, width, height * columns]), [0, 2, 1]);
  const classToken = expand(p.parameter("cls_token", [1, 1, width], truncatedNormal(0.02)), [n, 1, width]);
  let x = add(concat([classToken, tokens], 1), p.parameter("pos_embed", [1, 1 + height * columns, width], truncatedNormal(0.02)));
  for (let i = 0; i < depth; i++) {
    const block = p.at("blocks", i);
    x = add(x, multiHeadAttention(block.at("attn"), layerNorm(block.at("norm1"), x, 1e-6), heads));
    const hidden = gelu(linear(block.at("mlp", "fc1"), layerNorm(block.at("norm2"), x, 1e-6), { out: 4 * width }));
    x = add(x, linear(block.at("mlp", "fc2"), hidden, { out: width }));
  }
  const first = gather(layerNorm(p.at("norm"), x, 1e-6), x.graph.constant(tensor("int64", [], [0])), 1);
  return linear(p.at("head"), first, { out: 1000 });
}
