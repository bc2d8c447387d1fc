import type { Value } from "../../../engine/graph/graph.js";
import { add, gelu, reduceMean, squeeze } from "../../../engine/operators/index.js";
import { batchNorm2d } from "../../../vision/nn/layers/batch-norm.js";
import { conv2d, convTranspose2d, depthwiseConv2d } from "../../../vision/nn/layers/convolution.js";
import type { Network } from "../../../vision/nn/model.js";

/** The network of tools/reference/training.py: every kind of weight that has a gradient form of its own, and running statistics. */
export const small: Network = (p, x) => {
  const h = gelu(batchNorm2d(p.at("norm"), conv2d(p.at("first"), x!, { out: 6, kernel: 3, bias: "none" })));
  const down = gelu(conv2d(p.at("down"), depthwiseConv2d(p.at("depthwise"), h, { kernel: 3 }), { out: 8, kernel: 2, stride: 2 }));
  const joined: Value = add(h, convTranspose2d(p.at("up"), down, { out: 6, kernel: 2, stride: 2 }));
  return add(conv2d(p.at("last"), joined, { out: 3 }), x!);
};

/** Three classes for the whole picture: the means over it. */
export const smallClassifier: Network = (p, x) => squeeze(reduceMean(small(p, x!), [2, 3], "keep"), [2, 3]);
