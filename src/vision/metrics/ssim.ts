import { MetricError } from "./metric.js";
import type { Planes } from "./planes.js";

export interface SsimOptions {
  /** A flat 7x7 window (scikit-image's default) or a Gaussian of σ 1.5 cut off at 11x11 (Wang et al. 2004; `gaussian_weights`). */
  readonly window?: "uniform" | "gaussian";
  /** Divide (co)variances by N-1 (scikit-image's default, also for the Gaussian) or by N (Wang et al. and BasicSR). */
  readonly covariance?: "sample" | "population";
}

/**
 * Structural similarity of two images with values in [0, 1] (Wang et al. 2004, eq. 13 with C1 = 0.01², C2 = 0.03²), averaged over
 * every window that lies wholly inside the image, then over channels. With the defaults it is
 * `skimage.metrics.structural_similarity(..., data_range=1, channel_axis=0)`; BasicSR's is `gaussian` with `population`.
 *
 * @throws MetricError when the image is smaller than the window.
 */
export function ssim(a: Planes, b: Planes, options: SsimOptions = {}): number {
  const taps = options.window === "gaussian" ? gaussian(1.5, 5) : new Float64Array(7).fill(1 / 7);
  const { height, width } = a;
  if (height < taps.length || width < taps.length) {
    throw new MetricError(`SSIM needs images of at least ${taps.length}x${taps.length} pixels, not ${width}x${height}.`);
  }
  const n = taps.length ** 2;
  const scale = options.covariance === "population" ? 1 : n / (n - 1);
  const means = a.planes.map((x, c) => {
    const y = b.planes[c]!;
    const average = (plane: Float64Array) => windowAverages(plane, height, width, taps);
    const product = (p: Float64Array, q: Float64Array) => p.map((v, i) => v * q[i]!);
    const mx = average(x);
    const my = average(y);
    const mxx = average(product(x, x));
    const myy = average(product(y, y));
    const mxy = average(product(x, y));
    let sum = 0;
    for (let i = 0; i < mx.length; i++) {
      const ux = mx[i]!;
      const uy = my[i]!;
      const vx = scale * (mxx[i]! - ux * ux);
      const vy = scale * (myy[i]! - uy * uy);
      const vxy = scale * (mxy[i]! - ux * uy);
      sum += ((2 * ux * uy + c1) * (2 * vxy + c2)) / ((ux * ux + uy * uy + c1) * (vx + vy + c2));
    }
    return sum / mx.length;
  });
  return means.reduce((sum, v) => sum + v, 0) / means.length;
}

const c1 = 0.01 ** 2;
const c2 = 0.03 ** 2;

function gaussian(sigma: number, radius: number): Float64Array {
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = weights.reduce((total, w) => total + w, 0);
  return weights.map((w) => w / sum);
}

/** Weighted means over all windows inside the image: rows, then columns, because the window is separable. */
function windowAverages(plane: Float64Array, height: number, width: number, taps: Float64Array): Float64Array {
  const outWidth = width - taps.length + 1;
  const outHeight = height - taps.length + 1;
  const rows = new Float64Array(height * outWidth);
  for (let y = 0; y < height; y++) addWeighted(rows, y * outWidth, outWidth, plane, y * width, 1, taps);
  const out = new Float64Array(outHeight * outWidth);
  addWeighted(out, 0, out.length, rows, 0, outWidth, taps);
  return out;
}

/** to[i] += Σ_k taps[k] from[i + k step]; tap by tap, which reads memory in order. */
function addWeighted(
  to: Float64Array,
  toStart: number,
  length: number,
  from: Float64Array,
  fromStart: number,
  step: number,
  taps: Float64Array,
): void {
  for (let k = 0; k < taps.length; k++) {
    const tap = taps[k]!;
    const start = fromStart + k * step;
    for (let i = 0; i < length; i++) to[toStart + i]! += tap * from[start + i]!;
  }
}
