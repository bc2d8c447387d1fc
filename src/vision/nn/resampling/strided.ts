import type { Downsampling } from "./place.js";

/** The network's own layer with stride 2. */
export const strided: Downsampling = {
  source: "customary",
  multipleOf: 1,
  apply: ({ x, convolve }) => convolve(x, { stride: 2, share: 1 }),
};
