import { spatial } from "../layers/padding.js";
import { resizeBilinear } from "../layers/resize.js";
import type { Upsampling } from "./place.js";

/** The network's convolution to the channels wanted, then bilinear interpolation. */
export const bilinear: Upsampling = {
  source: "customary",
  apply: ({ x, out, mix }) => {
    const [height, width] = spatial(x);
    return resizeBilinear(mix(x, out), [2 * height, 2 * width]);
  },
};
