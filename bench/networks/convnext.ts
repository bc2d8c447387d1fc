import type { Value } from "../../src/engine/graph/graph.js";
import { add, gelu, mul, reduceMean, transpose } from "../../src/engine/operators/index.js";
import { constant } from "../../src/vision/nn/initializers.js";
import { channels, conv2d, depthwiseConv2d } from "../../src/vision/nn/layers/convolution.js";
import { layerNorm } from "../../src/vision/nn/layers/layer-norm.js";
import { linear } from "../../src/vision/nn/layers/linear.js";
import type { Scope } from "../../src/vision/nn/scope.js";

const [depths, widths] = [
  [3, 3, 9, 3],
  [96, 192, 384, 768],
] as const;

/** ConvNeXt-T (Liu et al. 2022, arXiv 2201.03545): class logits of [N, 3, H, W]. */
export function convnextTiny(p: Scope, image: Value): Value {
  let x = channelNorm(p.at("stem_norm"), conv2d(p.at("stem"), image, { out: widths[0], kernel: 4, stride: 4 }));
  depths.forEach((depth, stage) => {
    if (stage > 0) {
      const normed = channelNorm(p.at(stage, "down_norm"), x);
      x = conv2d(p.at(stage, "down"), normed, { out: widths[stage]!, kernel: 2, stride: 2 });
    }
    for (let i = 0; i < depth; i++) x = block(p.at(stage, "blocks", i), x);
  });
  return linear(p.at("head"), layerNorm(p.at("norm"), reduceMean(x, [2, 3]), 1e-6), { out: 1000 });
}

/** Depthwise 7x7, then a pixel-wise network of two layers with channels last, scaled and added. */
function block(p: Scope, input: Value): Value {
  const c = channels(input);
  let x = transpose(depthwiseConv2d(p.at("dwconv"), input, { kernel: 7 }), [0, 2, 3, 1]);
  x = gelu(linear(p.at("pwconv1"), layerNorm(p.at("norm"), x, 1e-6), { out: 4 * c }));
  x = mul(linear(p.at("pwconv2"), x, { out: c }), p.parameter("gamma", [c], constant(0.3)));
  return add(input, transpose(x, [0, 3, 1, 2]));
}

function channelNorm(p: Scope, x: Value): Value {
  return transpose(layerNorm(p, transpose(x, [0, 2, 3, 1]), 1e-6), [0, 3, 1, 2]);
}
