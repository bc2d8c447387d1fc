import type { Value } from "../../engine/graph/graph.js";
import { div, mul, reduceSum, reshape } from "../../engine/operators/index.js";
import { determinant, type Layout, type Point } from "./layouts/layout.js";
import { pixelSamples, type Size, sampleImages } from "./samples.js";

/**
 * What the sensor's pixels see, by samples u_k of each:
 *
 *     I = Σ_k img(φ(u_k)) det φ'(u_k) / Σ_k det φ'(u_k)
 *
 * an estimate of the integral of the image over the pixel, divided by the pixel's area. Differentiated as it stands it gives the interior
 * estimator of the layout's gradient: samples move, and their weights change. It is exact for these samples, and its mean over samples is
 * the gradient of the estimate's mean; as φ is smooth and the bilinear image continuous, that tends to the true one.
 *
 * @param images [N, C, H, W]
 * @param offsets of the samples within their pixels, x and y [h·w, K] in [0, 1)
 * @returns [N, C, h, w]
 */
export function interiorReading(images: Value, layout: Layout, theta: readonly Value[], size: Size, offsets: Point): Value {
  const p = pixelSamples(offsets, size);
  const area = determinant(layout.jacobian(p, theta));
  const share = div(area, reduceSum(area, [1], "keep"));
  const sampled = sampleImages(images, layout.map(p, theta));
  return reshape(reduceSum(mul(sampled, share), [2]), [images.shape[0]!, images.shape[1]!, ...size]);
}
