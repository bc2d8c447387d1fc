import { add, gridSample, mul, reshape } from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { identityGrid } from "./grid.js";
import type { TransformOf } from "./transform.js";

const pixels = 0.5;

/** A camera that is not quite still: bilinear shift by up to half a pixel each way, the border repeated. */
export const shift: TransformOf = (samples) => ({
  name: "shift",
  samples,
  moves: "less than a pixel",
  noise: ([b]) => [b!, 2],
  apply: (image, noise) => {
    const [batch, , height, width] = image.shape as [number, number, number, number];
    // One pixel is 2 / W of the grid's range.
    const unit = image.graph.constant(tensor("float32", [1, 2], [(2 * pixels) / width, (2 * pixels) / height]));
    const grid = add(identityGrid(image.graph, height, width), reshape(mul(noise, unit), [batch, 1, 1, 2]));
    return gridSample(image, grid, { padding: "border" });
  },
});
