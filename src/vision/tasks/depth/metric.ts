import { checkArray, checkLengths, type Metric, type ValidMask } from "../../metrics/metric.js";
import { PixelMeans, type PixelResult, type PixelSample } from "../../metrics/pixel-means.js";
import { type Aligned, aligned, type Laid } from "./align.js";
import { leastDepth } from "./losses.js";

const keys = ["absRel", "sqRel", "rmse", "rmseLog", "delta1", "delta2", "delta3"] as const;
type Key = (typeof keys)[number];
export type DepthSample = PixelSample<Key>;
export type DepthResult = PixelResult<Key>;

/**
 * Depth p against the truth y > 0, over the n pixels of an image that are known (Eigen et al. 2014, section 4.2):
 *
 * | name | formula | unit |
 * |---|---|---|
 * | `absRel` | 1/n Σ abs(p − y) / y | 1 |
 * | `sqRel` | 1/n Σ (p − y)² / y | meters |
 * | `rmse` | √(1/n Σ (p − y)²) | meters |
 * | `rmseLog` | √(1/n Σ (ln p − ln y)²) | 1 |
 * | `delta1`, `delta2`, `delta3` | share of pixels with max(p / y, y / p) < 1.25, 1.25², 1.25³ | [0, 1] |
 *
 * A prediction below 0.001 m counts as 0.001 m, as in the usual evaluations; one that is not a number is beyond every threshold. Tables give
 * the means over the images (`perSample`).
 *
 * @example
 * const metric = new DepthMetric({ align: "median" });
 * metric.update(prediction, target, valid);        // each [H, W], meters
 * metric.result().perSample.absRel;
 */
export class DepthMetric implements Metric<[ArrayLike<number>, ArrayLike<number>, ValidMask?], DepthSample, DepthResult> {
  readonly #means = new PixelMeans<Key>(keys);
  readonly #laid: Laid;

  /** @param laid how predictions of unknown scale are laid on the truth first, image by image. */
  constructor({ align = "none", meaning = "depth" }: Partial<Laid> = {}) {
    this.#laid = { align, meaning };
  }

  /**
   * @param prediction [H, W] in meters (before it is aligned: in any unit); `target` in meters.
   * @throws MetricError when the lengths do not match.
   */
  update(prediction: ArrayLike<number>, target: ArrayLike<number>, valid?: ValidMask): DepthSample {
    checkArray("prediction", prediction);
    checkArray("target", target);
    checkLengths("depth", target.length, { prediction: prediction.length, "valid mask": valid?.length });
    const sample = measure(aligned(prediction, target, valid, this.#laid));
    this.restore(sample);
    return sample;
  }

  restore(sample: DepthSample): void {
    this.#means.restore(sample);
  }

  merge(other: DepthMetric): void {
    this.#means.merge(other.#means);
  }

  result(): DepthResult {
    return this.#means.result();
  }
}

function measure({ predicted, truth }: Aligned): DepthSample {
  const pixels = truth.length;
  const sums = { absRel: 0, sqRel: 0, squares: 0, logSquares: 0 };
  const within = [0, 0, 0];
  for (let i = 0; i < pixels; i++) {
    const y = truth[i]!;
    const p = Math.max(predicted[i]!, leastDepth);
    const d = p - y;
    const l = Math.log(p) - Math.log(y);
    sums.absRel += Math.abs(d) / y;
    sums.sqRel += (d * d) / y;
    sums.squares += d * d;
    sums.logSquares += l * l;
    const ratio = Math.max(p / y, y / p);
    for (const k of [0, 1, 2]) if (ratio < 1.25 ** (k + 1)) within[k]!++;
  }
  return {
    pixels,
    absRel: sums.absRel / pixels,
    sqRel: sums.sqRel / pixels,
    rmse: Math.sqrt(sums.squares / pixels),
    rmseLog: Math.sqrt(sums.logSquares / pixels),
    delta1: within[0]! / pixels,
    delta2: within[1]! / pixels,
    delta3: within[2]! / pixels,
  };
}
