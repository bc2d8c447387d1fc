import { median } from "../../metrics/median.js";
import type { ValidMask } from "../../metrics/metric.js";
import { leastDepth } from "./losses.js";

/**
 * How a prediction is laid on the truth of its image before it is measured, for models that do not know the scale:
 *
 * - `none`: as it is, in meters.
 * - `median`: multiplied by median(truth) / median(prediction) (Zhou et al. 2017, section 4.1).
 * - `least-squares`: scaled and shifted by the least-squares fit over the known pixels, in the quantity that the model predicts: on
 *   inverse depth for models of inverse depth (Ranftl et al. 2020, eq. 2 and 3), on depth for others.
 */
export interface Laid {
  readonly align: "none" | "median" | "least-squares";
  /** What the model predicts: "depth" or "inverse-depth". */
  readonly meaning: string;
}

/** Depths of the pixels that count. */
export interface Aligned {
  readonly predicted: Float64Array;
  readonly truth: Float64Array;
}

/** The pixels where the truth is known (and not 0), with the prediction laid on it. */
export function aligned(
  prediction: ArrayLike<number>,
  target: ArrayLike<number>,
  valid: ValidMask | undefined,
  { align, meaning }: Laid,
): Aligned {
  const counts: number[] = [];
  for (let i = 0; i < target.length; i++) if ((!valid || valid[i]! >= 0.5) && target[i]! > 0) counts.push(i);
  const predicted = Float64Array.from(counts, (i) => prediction[i]!);
  const truth = Float64Array.from(counts, (i) => target[i]!);
  if (align === "none" || counts.length === 0) return { predicted, truth };
  if (align === "median") {
    const factor = median(truth) / median(predicted);
    return { predicted: predicted.map((p) => p * factor), truth };
  }
  if (meaning !== "inverse-depth") return { predicted: fitted(predicted, truth), truth };
  const inverse = (depths: Float64Array) => depths.map((d) => 1 / Math.max(d, leastDepth));
  // What is fitted below 1 / (10 km) is as far as that.
  return { predicted: fitted(inverse(predicted), inverse(truth)).map((d) => 1 / Math.max(d, 1e-4)), truth };
}

/** a x + b with the a and b that minimize Σ (a x + b - y)². A constant x can only be shifted. */
function fitted(x: Float64Array, y: Float64Array): Float64Array {
  const mean = (v: Float64Array) => v.reduce((sum, a) => sum + a, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const variance = x.reduce((sum, a) => sum + (a - mx) ** 2, 0);
  const scale = variance > 0 ? x.reduce((sum, a, i) => sum + (a - mx) * (y[i]! - my), 0) / variance : 0;
  return x.map((a) => my + scale * (a - mx));
}
