import { add, div, gridSample, mul, reshape, slice, sub } from "../../../engine/operators/index.js";
import { identityGrid } from "./grid.js";
import type { TransformOf } from "./transform.js";

const smallest = 0.9;

/** Random resizing and padding (Xie et al. 2018): the image shrunk to 0.9 to 1 of its size, at a random place on black. */
export const resizePad: TransformOf = (samples) => ({
  name: "resize-pad",
  samples,
  moves: "anything",
  noise: ([b]) => [b!, 3],
  apply: (image, noise) => {
    const [batch, , height, width] = image.shape as [number, number, number, number];
    const draw = (from: number, to: number) => reshape(slice(noise, [from], [to], { axes: [1] }), [batch, 1, 1, to - from]);
    const size = add(mul(draw(0, 1), (1 - smallest) / 2), (1 + smallest) / 2);
    // The center may move as far as the shrunk image stays inside.
    const center = mul(draw(1, 3), sub(1, size));
    return gridSample(image, div(sub(identityGrid(image.graph, height, width), center), size), { padding: "zeros" });
  },
});
