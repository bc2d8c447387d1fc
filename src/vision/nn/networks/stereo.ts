import type { Value } from "../../../engine/graph/graph.js";
import { add, concat, mul, pad, reduceMean, reduceSum, relu, slice, softmax } from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { conv2d } from "../layers/convolution.js";
import { spatial } from "../layers/padding.js";
import { resizeBilinear } from "../layers/resize.js";
import type { ImageNetwork } from "../model.js";
import { type DownsamplingName, type UpsamplingName, upsample } from "../resampling/index.js";
import type { Scope } from "../scope.js";
import { halvedConv2d } from "./halved.js";

/**
 * A small stereo network: shared features at a quarter of the size, a correlation volume over disparities (Mayer et al. 2016, arXiv
 * 1512.02134), refinement by convolutions, and the soft argmin of GC-Net (Kendall et al. 2017, arXiv 1703.04309).
 */
export interface StereoConfiguration extends ImageNetwork {
  readonly family: "stereo";
  readonly width: number;
  /** Disparities looked at, in pixels of the image, from 0 up; a multiple of 4. */
  readonly disparities: number;
  /** Of the features; default "strided". */
  readonly down?: DownsamplingName;
  /**
   * Without it the coarse disparity is enlarged bilinearly and that is all. With it a decoder, which doubles the resolution twice by this choice
   * (channel by channel where it can, as in arXiv 2311.17524) beside features of the left image, adds a correction at full size.
   */
  readonly up?: UpsamplingName;
}

/** Disparity in pixels, [N, 1, H, W], of rectified images [N, 3, H, W] whose sides are multiples of 4: left(x) matches right(x - d). */
export function stereo(p: Scope, left: Value, right: Value, configuration: StereoConfiguration): Value {
  const { width, disparities, down = "strided", up } = configuration;
  const [seen, other] = [left, right].map((image) => features(p.at("features"), image, width, down)) as [Features, Features];
  const [l, r] = [seen.quarter, other.quarter];
  const steps = disparities / 4;
  const volume = concat(
    Array.from({ length: steps }, (_, d) => reduceMean(mul(l, shiftRight(r, d)), [1], "keep")),
    1,
  );
  let x = relu(conv2d(p.at("refine", 0), concat([volume, l], 1), { out: 2 * width, kernel: 3 }));
  x = relu(conv2d(p.at("refine", 1), x, { out: 2 * width, kernel: 3 }));
  const scores = add(volume, conv2d(p.at("refine", 2), x, { out: steps, kernel: 3 }));
  const values = left.graph.constant(
    tensor(
      "float32",
      [1, steps, 1, 1],
      Array.from({ length: steps }, (_, d) => 4 * d),
    ),
  );
  const coarse = reduceSum(mul(softmax(scores, 1), values), [1], "keep");
  const enlarged = resizeBilinear(coarse, spatial(left));
  return up === undefined ? enlarged : add(enlarged, correction(p.at("decoder"), x, [seen.half, left], width, up));
}

/** From a quarter of the size to all of it: doubled, joined with what the left image is like there, convolved. */
function correction(p: Scope, x: Value, skips: readonly Value[], width: number, up: UpsamplingName): Value {
  skips.forEach((skip, i) => {
    x = concat([doubled(p.at("ups", i), x, width, up), skip], 1);
    x = relu(conv2d(p.at("convs", i), x, { out: width, kernel: 3 }));
  });
  return conv2d(p.at("final"), x, { out: 1, kernel: 3 });
}

function doubled(p: Scope, x: Value, out: number, up: UpsamplingName): Value {
  return upsample(up, {
    x,
    out,
    scope: p,
    mix: (v, mixed) => conv2d(p.at("body", 0), v, { out: mixed }),
    spectral: p.at("body"),
    large: p.at("body"),
    small: p.at("para"),
    bias: "learned",
    groups: () => out,
  });
}

interface Features {
  /** At half and at a quarter of the image's size. */
  readonly half: Value;
  readonly quarter: Value;
}

function features(p: Scope, image: Value, width: number, down: DownsamplingName): Features {
  const half = relu(halvedConv2d(p.at(0), image, { out: width, kernel: 5 }, down));
  let x = relu(halvedConv2d(p.at(1), half, { out: width, kernel: 3 }, down));
  x = relu(conv2d(p.at(2), x, { out: width, kernel: 3 }));
  return { half, quarter: conv2d(p.at(3), x, { out: width, kernel: 3 }) };
}

function shiftRight(x: Value, by: number): Value {
  return by === 0 ? x : pad(slice(x, [0], [x.shape[3]! - by], { axes: [3] }), [0, 0, 0, by, 0, 0, 0, 0]);
}
