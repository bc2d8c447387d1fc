import { checkArray, checkLengths, type Metric, type ValidMask } from "./metric.js";
import { PixelMeans, type PixelResult, type PixelSample } from "./pixel-means.js";

const keys = ["endPointError", "bad1", "bad3", "d1"] as const;
type Key = (typeof keys)[number];
export type DisparitySample = PixelSample<Key>;
export type DisparityResult = PixelResult<Key>;

/**
 * Disparity against the truth:
 *
 * | name | meaning | unit |
 * |---|---|---|
 * | `endPointError` | abs(p − t) | pixels |
 * | `bad1`, `bad3` | share of pixels whose error exceeds 1, 3 pixels (Scharstein & Szeliski 2002) | [0, 1] |
 * | `d1` | share whose error exceeds 3 pixels *and* 5 % of t (Menze & Geiger 2015, KITTI's D1-all) | [0, 1] |
 *
 * A pixel whose prediction is not a number is bad by every measure.
 *
 * @example
 * const metric = new DisparityMetric();
 * metric.update(prediction, target, valid);        // each [H, W]
 * metric.result().perPixel.d1;
 */
export class DisparityMetric
  implements Metric<[ArrayLike<number>, ArrayLike<number>, ValidMask?], DisparitySample, DisparityResult>
{
  readonly #means = new PixelMeans<Key>(keys);

  /**
   * @param prediction [H, W] in pixels; `target` alike.
   * @throws MetricError when the lengths do not match.
   */
  update(prediction: ArrayLike<number>, target: ArrayLike<number>, valid?: ValidMask): DisparitySample {
    checkArray("prediction", prediction);
    checkArray("target", target);
    const sample = measure(prediction, target, valid);
    this.restore(sample);
    return sample;
  }

  restore(sample: DisparitySample): void {
    this.#means.restore(sample);
  }

  merge(other: DisparityMetric): void {
    this.#means.merge(other.#means);
  }

  result(): DisparityResult {
    return this.#means.result();
  }
}

function measure(prediction: ArrayLike<number>, target: ArrayLike<number>, valid: ValidMask | undefined): DisparitySample {
  checkLengths("disparity", target.length, { prediction: prediction.length, "valid mask": valid?.length });
  let pixels = 0;
  let error = 0;
  const counts = { bad1: 0, bad3: 0, d1: 0 };
  for (let i = 0; i < target.length; i++) {
    if (valid && !(valid[i]! >= 0.5)) continue;
    pixels++;
    const e = Math.abs(prediction[i]! - target[i]!);
    error += e;
    // Negated, so that NaN counts.
    const far = !(e <= 3);
    if (!(e <= 1)) counts.bad1++;
    if (far) counts.bad3++;
    if (far && !(e <= 0.05 * Math.abs(target[i]!))) counts.d1++;
  }
  return {
    pixels,
    endPointError: error / pixels,
    bad1: counts.bad1 / pixels,
    bad3: counts.bad3 / pixels,
    d1: counts.d1 / pixels,
  };
}
