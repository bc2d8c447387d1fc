import { checkArray, checkLengths, type Metric, type ValidMask } from "./metric.js";
import { PixelMeans, type PixelResult, type PixelSample } from "./pixel-means.js";

const keys = ["endPointError", "above1", "above3", "above5", "flAll", "flAllEither"] as const;
type Key = (typeof keys)[number];
export type FlowSample = PixelSample<Key>;
export type FlowResult = PixelResult<Key>;

/**
 * Optical flow against the truth:
 *
 * | name | meaning | unit |
 * |---|---|---|
 * | `endPointError` | ‖p − t‖₂ (Baker et al. 2011) | pixels |
 * | `above1`, `above3`, `above5` | share of pixels whose error exceeds 1, 3, 5 pixels | [0, 1] |
 * | `flAll` | share whose error exceeds 3 pixels *and* 5 % of ‖t‖ (Menze & Geiger 2015, KITTI's Fl-all) | [0, 1] |
 * | `flAllEither` | share whose error exceeds 3 pixels *or* 5 % of ‖t‖, as the released CosPGD evaluation computes "f1-all" | [0, 1] |
 *
 * A pixel whose prediction is not a number is an outlier by every measure.
 *
 * @example
 * const metric = new FlowMetric();
 * metric.update(prediction, target, valid);        // planar [2, H, W], valid [H, W]
 * metric.result().perPixel.endPointError;
 */
export class FlowMetric implements Metric<[ArrayLike<number>, ArrayLike<number>, ValidMask?], FlowSample, FlowResult> {
  readonly #means = new PixelMeans<Key>(keys);

  /**
   * @param prediction planar [2, H, W], (right, down) in pixels; `target` alike.
   * @throws MetricError when the lengths do not match.
   */
  update(prediction: ArrayLike<number>, target: ArrayLike<number>, valid?: ValidMask): FlowSample {
    checkArray("prediction", prediction);
    checkArray("target", target);
    const sample = measure(prediction, target, valid);
    this.restore(sample);
    return sample;
  }

  restore(sample: FlowSample): void {
    this.#means.restore(sample);
  }

  merge(other: FlowMetric): void {
    this.#means.merge(other.#means);
  }

  result(): FlowResult {
    return this.#means.result();
  }
}

function measure(prediction: ArrayLike<number>, target: ArrayLike<number>, valid: ValidMask | undefined): FlowSample {
  const area = Math.floor(target.length / 2);
  checkLengths("flow", 2 * area, { prediction: prediction.length, target: target.length });
  checkLengths("flow", area, { "valid mask": valid?.length });
  let pixels = 0;
  let error = 0;
  const counts = { above1: 0, above3: 0, above5: 0, flAll: 0, flAllEither: 0 };
  for (let i = 0; i < area; i++) {
    if (valid && !(valid[i]! >= 0.5)) continue;
    pixels++;
    const u = target[i]!;
    const v = target[i + area]!;
    // Not Math.hypot, whose last bit differs between engines.
    const e = Math.sqrt((prediction[i]! - u) ** 2 + (prediction[i + area]! - v) ** 2);
    error += e;
    // Negated, so that NaN counts.
    const far = !(e <= 3);
    const farRelatively = !(e <= 0.05 * Math.sqrt(u * u + v * v));
    if (!(e <= 1)) counts.above1++;
    if (far) counts.above3++;
    if (!(e <= 5)) counts.above5++;
    if (far && farRelatively) counts.flAll++;
    if (far || farRelatively) counts.flAllEither++;
  }
  return {
    pixels,
    endPointError: error / pixels,
    above1: counts.above1 / pixels,
    above3: counts.above3 / pixels,
    above5: counts.above5 / pixels,
    flAll: counts.flAll / pixels,
    flAllEither: counts.flAllEither / pixels,
  };
}
