import { pixelShuffle as shuffle, pixelUnshuffle as unshuffle } from "../../../engine/operators/index.js";
import type { Downsampling, Upsampling } from "./place.js";
import { demandEven } from "./size.js";

const source = "Shi et al. 2016, arXiv 1609.05158";

/** The network's convolution to a quarter of its channels, then four pixels become channels; alone where any number of channels will do. */
export const pixelUnshuffle: Downsampling = {
  source,
  multipleOf: 2,
  apply: ({ x, convolve, channels }) => {
    demandEven(x, "pixel-unshuffle");
    return unshuffle(channels === "free" ? x : convolve(x, { stride: 1, share: 4 }), 2);
  },
};

/** The network's convolution to four times the channels wanted, then four channels become pixels. */
export const pixelShuffle: Upsampling = { source, apply: ({ x, out, mix }) => shuffle(mix(x, 4 * out), 2) };
