import type { Value } from "../../../engine/graph/graph.js";
import { type Conv2dOptions, conv2d } from "../layers/convolution.js";
import { spatial } from "../layers/padding.js";
import { type DownsamplingName, downsample } from "../resampling/index.js";
import type { Scope } from "../scope.js";

/** A convolution that halves the resolution, by stride 2 or as the choice has it; odd sides are rounded up, as padded convolutions do. */
export function halvedConv2d(p: Scope, x: Value, options: Omit<Conv2dOptions, "stride">, down: DownsamplingName): Value {
  const [height, width] = spatial(x);
  return downsample(down, {
    x,
    size: [Math.ceil(height / 2), Math.ceil(width / 2)],
    scope: p,
    convolve: (v, { stride, share }) => conv2d(p, v, { ...options, out: options.out / share, stride }),
    channels: "kept",
  });
}
