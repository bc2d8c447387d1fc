import type { Value } from "../../src/engine/graph/graph.js";
import { add, clip, reduceMean } from "../../src/engine/operators/index.js";
import { channels, conv2d, depthwiseConv2d } from "../../src/vision/nn/layers/convolution.js";
import { linear } from "../../src/vision/nn/layers/linear.js";
import type { Scope } from "../../src/vision/nn/scope.js";

/** [expansion, channels, blocks, stride of the first block] */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** MobileNetV2 of width 1 (Sandler et al. 2018, arXiv 1801.04381), batch normalization folded: class logits of [N, 3, H, W]. */
export function mobilenetV2(p: Scope, image: Value): Value {
  let x = relu6(conv2d(p.at("stem"), image, { out: 32, kernel: 3, stride: 2 }));
  stages.forEach(([expansion, out, blocks, stride], stage) => {
    for (let i = 0; i < blocks; i++) x = block(p.at(stage, i), x, { expansion, out, stride: i === 0 ? stride : 1 });
  });
  x = relu6(conv2d(p.at("head"), x, { out: 1280 }));
  return linear(p.at("classifier"), reduceMean(x, [2, 3]), { out: 1000 });
}

interface Block {
  readonly expansion: number;
  readonly out: number;
  readonly stride: number;
}

function block(p: Scope, input: Value, { expansion, out, stride }: Block): Value {
  let x = input;
  if (expansion !== 1) x = relu6(conv2d(p.at("expand"), x, { out: expansion * channels(x) }));
  x = relu6(depthwiseConv2d(p.at("depthwise"), x, { kernel: 3, stride }));
  x = conv2d(p.at("project"), x, { out });
  return stride === 1 && out === channels(input) ? add(x, input) : x;
}

const relu6 = (x: Value): Value => clip(x, 0, 6);
