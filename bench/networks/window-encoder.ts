import type { Value } from "../../src/engine/graph/graph.js";
import { add, pad, reshape, slice, transpose } from "../../src/engine/operators/index.js";
import { truncatedNormal } from "../../src/vision/nn/initializers.js";
import { conv2d } from "../../src/vision/nn/layers/convolution.js";
import type { Scope } from "../../src/vision/nn/scope.js";
import { vitBlock } from "./vit.js";

const [width, depth, heads, patch, window] = [768, 12, 12, 16, 14];

/**
 * An encoder as Segment Anything's ViT-B (Kirillov et al. 2023, arXiv 2304.02643): attention in windows of 14 x 14 tokens, in every third
 * block over all of them. Without relative positions; its neck is one convolution. [N, 3, H, W] -> [N, 256, H / 16, W / 16]
 */
export function windowEncoder(p: Scope, image: Value): Value {
  const patches = conv2d(p.at("patch_embed"), image, { out: width, kernel: patch, stride: patch });
  const [n, , h, w] = patches.shape as [number, number, number, number];
  let x = add(transpose(patches, [0, 2, 3, 1]), p.parameter("pos_embed", [1, h, w, width], truncatedNormal(0.02)));
  for (let i = 0; i < depth; i++) {
    const everywhere = i % 3 === 2;
    x = vitBlock(
      p.at("blocks", i),
      x,
      heads,
      (attend) => (tokens) =>
        everywhere ? reshape(attend(reshape(tokens, [n, h * w, width])), [n, h, w, width]) : inWindows(tokens, attend),
    );
  }
  return conv2d(p.at("neck"), transpose(x, [0, 3, 1, 2]), { out: 256, kernel: 1 });
}

/** Tokens [N, H, W, C] see those of their window; the last windows are filled up with zeros. */
function inWindows(tokens: Value, attend: (tokens: Value) => Value): Value {
  const [n, h, w, c] = tokens.shape as [number, number, number, number];
  const [rows, columns] = [Math.ceil(h / window), Math.ceil(w / window)];
  const filled = pad(tokens, [0, 0, 0, 0, 0, rows * window - h, columns * window - w, 0]);
  const cut = transpose(reshape(filled, [n, rows, window, columns, window, c]), [0, 1, 3, 2, 4, 5]);
  const attended = attend(reshape(cut, [n * rows * columns, window * window, c]));
  const joined = transpose(reshape(attended, [n, rows, columns, window, window, c]), [0, 1, 3, 2, 4, 5]);
  return slice(reshape(joined, [n, rows * window, columns * window, c]), [0, 0], [h, w], { axes: [1, 2] });
}
