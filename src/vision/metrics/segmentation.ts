import { checkArray, checkLengths, checkStored, type Metric, MetricError, type ValidMask } from "./metric.js";

export interface SegmentationScores {
  readonly pixels: number;
  /** Share of pixels whose class is right. */
  readonly aAcc: number;
  /** Mean over the classes that the truth holds of the share of their pixels that is right. */
  readonly mAcc: number;
  /** Mean over the classes that truth or prediction hold of intersection over union. */
  readonly mIoU: number;
}

export interface SegmentationSample extends SegmentationScores {
  /** The confusion matrix's entries other than 0: true class, predicted class, pixels. */
  readonly confusion: readonly (readonly [target: number, predicted: number, pixels: number])[];
}

export interface SegmentationResult extends SegmentationScores {
  readonly samples: number;
  /** Per class; NaN for a class that neither truth nor prediction hold (`iou`) or that the truth does not hold (`accuracy`). */
  readonly classes: readonly { readonly iou: number; readonly accuracy: number }[];
  /** Row-major [K, K]: pixels of the true class (row) that were given the predicted class (column). */
  readonly confusion: Float64Array;
}

/**
 * Segmentation scores from one confusion matrix over all pixels, as Pascal VOC, Cityscapes and MMSegmentation compute them:
 * IoU_k = n_kk / (Σ_j n_kj + Σ_j n_jk − n_kk), averaged over classes with a union. All scores lie in [0, 1].
 *
 * @example
 * const metric = new SegmentationMetric(21, { ignore: [255] });
 * metric.update(predictedClasses, targetClasses);
 * metric.result().mIoU;
 */
export class SegmentationMetric
  implements Metric<[ArrayLike<number | bigint>, ArrayLike<number | bigint>, ValidMask?], SegmentationSample, SegmentationResult>
{
  readonly #classes: number;
  readonly #ignore: ReadonlySet<number>;
  readonly #confusion: Float64Array;
  #samples = 0;

  /** @param options.ignore Labels of pixels without truth, for example 255 or -1. */
  constructor(classes: number, options: { readonly ignore?: readonly number[] } = {}) {
    if (!Number.isSafeInteger(classes) || classes < 1)
      throw new MetricError(`Segmentation needs at least 1 class, not ${classes}.`);
    this.#classes = classes;
    this.#ignore = new Set(options.ignore);
    this.#confusion = new Float64Array(classes * classes);
  }

  /**
   * @param prediction predicted classes [H, W] (not logits: take their argmax over the channels first).
   * @param target true classes [H, W].
   * @throws MetricError when lengths differ, or a counted pixel's class is not one of 0 to K-1.
   */
  update(prediction: ArrayLike<number | bigint>, target: ArrayLike<number | bigint>, valid?: ValidMask): SegmentationSample {
    checkArray("prediction", prediction);
    checkArray("target", target);
    checkLengths("segmentation", target.length, { prediction: prediction.length, "valid mask": valid?.length });
    const confusion = new Float64Array(this.#confusion.length);
    for (let i = 0; i < target.length; i++) {
      const t = Number(target[i]!);
      if (this.#ignore.has(t) || (valid && !(valid[i]! >= 0.5))) continue;
      confusion[this.#index(t, Number(prediction[i]!))]!++;
    }
    const entries: [number, number, number][] = [];
    confusion.forEach((pixels, i) => {
      if (pixels > 0) entries.push([Math.floor(i / this.#classes), i % this.#classes, pixels]);
    });
    const sample: SegmentationSample = { ...scores(perClass(confusion, this.#classes)), confusion: entries };
    this.restore(sample);
    return sample;
  }

  restore(sample: SegmentationSample): void {
    checkStored(sample, { confusion: "list" });
    this.#samples++;
    for (const [target, predicted, pixels] of sample.confusion) this.#confusion[this.#index(target, predicted)]! += pixels;
  }

  merge(other: SegmentationMetric): void {
    checkLengths("segmentation", this.#confusion.length, { "confusion matrix": other.#confusion.length });
    this.#samples += other.#samples;
    other.#confusion.forEach((pixels, i) => {
      this.#confusion[i]! += pixels;
    });
  }

  result(): SegmentationResult {
    const counts = perClass(this.#confusion, this.#classes);
    return {
      samples: this.#samples,
      ...scores(counts),
      classes: counts.map(({ right, target, union }) => ({ iou: right / union, accuracy: right / target })),
      confusion: this.#confusion.slice(),
    };
  }

  #index(target: number, predicted: number): number {
    const most = this.#classes - 1;
    if (!(Number.isInteger(target) && target >= 0 && target <= most)) {
      throw new MetricError(
        `The target holds class ${target}, but there are classes 0 to ${most}; ignore that label or correct it.`,
      );
    }
    if (!(Number.isInteger(predicted) && predicted >= 0 && predicted <= most)) {
      throw new MetricError(`The prediction holds class ${predicted}, but there are classes 0 to ${most}.`);
    }
    return target * this.#classes + predicted;
  }
}

interface ClassCounts {
  readonly right: number;
  readonly target: number;
  readonly union: number;
}

function perClass(confusion: Float64Array, classes: number): ClassCounts[] {
  return Array.from({ length: classes }, (_, k) => {
    let target = 0;
    let predicted = 0;
    for (let j = 0; j < classes; j++) {
      target += confusion[k * classes + j]!;
      predicted += confusion[j * classes + k]!;
    }
    const right = confusion[k * classes + k]!;
    return { right, target, union: target + predicted - right };
  });
}

function scores(counts: readonly ClassCounts[]): SegmentationScores {
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const pixels = counts.reduce((sum, c) => sum + c.target, 0);
  return {
    pixels,
    aAcc: counts.reduce((sum, c) => sum + c.right, 0) / pixels,
    mAcc: mean(counts.filter((c) => c.target > 0).map((c) => c.right / c.target)),
    mIoU: mean(counts.filter((c) => c.union > 0).map((c) => c.right / c.union)),
  };
}
