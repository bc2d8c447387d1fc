import type { Value } from "../../src/engine/graph/graph.js";
import { add, concat, leakyRelu, mul, relu, slice } from "../../src/engine/operators/index.js";
import { channels, conv2d } from "../../src/vision/nn/layers/convolution.js";
import { spatial } from "../../src/vision/nn/layers/padding.js";
import { resizeBilinear } from "../../src/vision/nn/layers/resize.js";
import { warp } from "../../src/vision/nn/layers/warp.js";
import type { Scope } from "../../src/vision/nn/scope.js";

const widths = [32, 64, 96] as const;

/**
 * Coarse-to-fine optical flow by warping, as PWC-Net without its cost volume (Sun et al. 2018, arXiv 1709.02371): two images, joined along
 * the channels as [N, 6, H, W], to a displacement in pixels [N, 2, H, W].
 */
export function flowByWarping(p: Scope, images: Value): Value {
  const [first, second] = [features(p, images, 0), features(p, images, 1)];
  let flow: Value | undefined;
  for (let level = widths.length - 1; level >= 0; level--) {
    const [a, b] = [first[level]!, second[level]!];
    const up: Value | undefined = flow && mul(resizeBilinear(flow, spatial(a)), 2);
    let x: Value = up ? concat([a, warp(b, up), up], 1) : concat([a, b], 1);
    for (let i = 0; i < 3; i++) x = leakyRelu(conv2d(p.at("decoder", level, i), x, { out: 64, kernel: 3 }), 0.1);
    const step = conv2d(p.at("decoder", level, "flow"), x, { out: 2, kernel: 3 });
    flow = up ? add(up, step) : step;
  }
  return mul(resizeBilinear(flow!, spatial(images)), 2);
}

/** The pyramid of one image; both images share its weights. */
function features(p: Scope, images: Value, which: 0 | 1): Value[] {
  const weights = p.at("features");
  let x = slice(images, [3 * which], [3 * which + 3], { axes: [1] });
  return widths.map((out, level) => {
    x = relu(conv2d(weights.at(level, 0), x, { out, kernel: 3, stride: 2 }));
    x = relu(conv2d(weights.at(level, 1), x, { out: channels(x), kernel: 3 }));
    return x;
  });
}
