import type { Value } from "../../../engine/graph/graph.js";
import { add, concat, mul, pad, reduceMean, reduceSum, relu, slice, softmax } from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { conv2d } from "../layers/convolution.js";
import { spatial } from "../layers/padding.js";
import { resizeBilinear } from "../layers/resize.js";
import type { ImageNetwork } from "../model.js";
import type { Scope } from "../scope.js";

/**
 * A small stereo network: shared features at a quarter of the size, a correlation volume over disparities (Mayer et al. 2016, arXiv
 * 1512.02134), refinement by convolutions, and the soft argmin of GC-Net (Kendall et al. 2017, arXiv 1703.04309).
 */
export interface StereoConfiguration extends ImageNetwork {
  readonly family: "stereo";
  readonly width: number;
  /** Disparities looked at, in pixels of the image, from 0 up; a multiple of 4. */
  readonly disparities: number;
}

/** Disparity in pixels, [N, 1, H, W], of rectified images [N, 3, H, W] whose sides are multiples of 4: left(x) matches right(x - d). */
export function stereo(p: Scope, left: Value, right: Value, { width, disparities }: StereoConfiguration): Value {
  const [l, r] = [features(p.at("features"), left, width), features(p.at("features"), right, width)];
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
  return resizeBilinear(coarse, spatial(left));
}

function features(p: Scope, image: Value, width: number): Value {
  let x = relu(conv2d(p.at(0), image, { out: width, kernel: 5, stride: 2 }));
  x = relu(conv2d(p.at(1), x, { out: width, kernel: 3, stride: 2 }));
  x = relu(conv2d(p.at(2), x, { out: width, kernel: 3 }));
  return conv2d(p.at(3), x, { out: width, kernel: 3 });
}

function shiftRight(x: Value, by: number): Value {
  return by === 0 ? x : pad(slice(x, [0], [x.shape[3]! - by], { axes: [3] }), [0, 0, 0, by, 0, 0, 0, 0]);
}
