import { maxPool as pool } from "../../../engine/operators/index.js";
import { spatial } from "../layers/padding.js";
import type { Downsampling } from "./place.js";

/** The largest of each 2x2 pixels, then the network's layer at stride 1. */
export const maxPool: Downsampling = {
  source: "customary",
  multipleOf: 1,
  apply: ({ x, size, convolve }) => {
    const [bottom, right] = spatial(x).map((side, axis) => Math.max(2 * size[axis]! - side, 0)) as [number, number];
    return convolve(pool(x, [2, 2], { strides: [2, 2], pads: [0, 0, bottom, right] }), { stride: 1, share: 1 });
  },
};
