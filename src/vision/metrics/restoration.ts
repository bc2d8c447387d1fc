import { checkNumber, checkStored, type Metric, OrderFreeSum } from "./metric.js";
import { eightBit, type ImageTensor, luma, planesOfPair } from "./planes.js";
import { meanSquaredError, psnrOf } from "./psnr.js";
import { type SsimOptions, ssim } from "./ssim.js";

export interface RestorationOptions extends SsimOptions {
  /** Compare all channels, or the luma of RGB images (super-resolution's habit). */
  readonly channels?: "all" | "luma";
  /** Compare the values as they are, or as a saved 8-bit image holds them, as BasicSR, NAFNet and Restormer do. */
  readonly rounding?: "none" | "8-bit";
}

export interface RestorationSample {
  readonly meanSquaredError: number;
  /** dB; infinite for equal images. */
  readonly psnr: number;
  readonly ssim: number;
}

export interface RestorationResult {
  readonly samples: number;
  /** Mean of the images' PSNR, in dB. */
  readonly psnr: number;
  /** Mean of the images' SSIM, at most 1. */
  readonly ssim: number;
}

/**
 * PSNR and SSIM of restored images with values in [0, 1].
 *
 * @example
 * const metric = new RestorationMetric({ rounding: "8-bit" });
 * metric.update(restored, sharp);                  // tensors [3, H, W]
 * metric.result().psnr;
 */
export class RestorationMetric implements Metric<[ImageTensor, ImageTensor], RestorationSample, RestorationResult> {
  readonly #options: RestorationOptions;
  readonly #psnr = new OrderFreeSum();
  readonly #ssim = new OrderFreeSum();

  constructor(options: RestorationOptions = {}) {
    this.#options = options;
  }

  /** @throws MetricError when shapes differ, are not [C, H, W], or are smaller than SSIM's window. */
  update(prediction: ImageTensor, target: ImageTensor): RestorationSample {
    let pair = planesOfPair(prediction, target);
    if (this.#options.rounding === "8-bit") pair = [eightBit(pair[0]), eightBit(pair[1])];
    if (this.#options.channels === "luma") pair = [luma(pair[0]), luma(pair[1])];
    const error = meanSquaredError(...pair);
    const sample = { meanSquaredError: error, psnr: psnrOf(error), ssim: ssim(...pair, this.#options) };
    this.restore(sample);
    return sample;
  }

  /** Takes PSNR from the squared error, because JSON has no infinity. */
  restore(sample: RestorationSample): void {
    checkStored(sample, { meanSquaredError: "number", ssim: "number" });
    this.#ssim.add(sample.ssim);
    this.#psnr.add(psnrOf(checkNumber(sample.meanSquaredError)));
  }

  merge(other: RestorationMetric): void {
    this.#psnr.merge(other.#psnr);
    this.#ssim.merge(other.#ssim);
  }

  result(): RestorationResult {
    return { samples: this.#ssim.count, psnr: this.#psnr.mean(), ssim: this.#ssim.mean() };
  }
}
