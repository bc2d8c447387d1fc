import type { Value } from "../../../engine/graph/graph.js";
import { add, gridSample, mul, transpose } from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { spatial } from "./padding.js";

/**
 * x(p + displacement(p)), bilinear, zeros outside.
 *
 * @param displacement (x, y) in pixels, [N, 2, H, W].
 */
export function warp(x: Value, displacement: Value): Value {
  const [height, width] = spatial(x);
  // Grid coordinates run from -1 to 1 over the borders of the image: pixel i of n has its center at (2 i + 1) / n - 1.
  const centers = Array.from({ length: height * width * 2 }, (_, at) => {
    const pixel = Math.floor(at / 2);
    return at % 2 === 0 ? (2 * (pixel % width) + 1) / width - 1 : (2 * Math.floor(pixel / width) + 1) / height - 1;
  });
  const identity = x.graph.constant(tensor("float32", [1, height, width, 2], centers));
  const perPixel = x.graph.constant(tensor("float32", [2], [2 / width, 2 / height]));
  return gridSample(x, add(identity, mul(transpose(displacement, [0, 2, 3, 1]), perPixel)));
}
