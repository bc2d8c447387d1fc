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

/**
 * Of several results for each sample, those whose mIoU over all samples together is low (SEA, Croce et al. 2024, section 4.3): from the result that is lowest
 * by itself, sample by sample whichever makes the mIoU lowest with the others as they are, until a round changes nothing. A local minimum: no single sample
 * can be exchanged to lower it. The published code takes the samples in a random order, this one in theirs.
 */
export function lowestMeanIou(choices: readonly (readonly SegmentationSample[])[], classes: number): readonly number[] {
  const counts = choices.map((samples) => samples.map(({ confusion }) => intersectionAndUnion(confusion, classes)));
  const samples = counts[0]?.length ?? 0;
  const total = new Float64Array(2 * classes);
  const add = (choice: number, sample: number, sign: 1 | -1) => {
    const own = counts[choice]![sample]!;
    for (let i = 0; i < total.length; i++) total[i]! += sign * own[i]!;
  };
  const meanIou = () => {
    let [sum, present] = [0, 0];
    for (let k = 0; k < classes; k++)
      if (total[classes + k]! > 0) {
        sum += total[k]! / total[classes + k]!;
        present++;
      }
    return sum / present;
  };
  const alone = choices.map((_, c) => {
    total.fill(0);
    for (let sample = 0; sample < samples; sample++) add(c, sample, 1);
    return meanIou();
  });
  const first = alone.indexOf(Math.min(...alone));
  const taken = new Array<number>(samples).fill(Math.max(0, first));
  total.fill(0);
  for (let sample = 0; sample < samples; sample++) add(taken[sample]!, sample, 1);
  for (let changed = true, lowest = meanIou(); changed; ) {
    changed = false;
    for (let sample = 0; sample < samples; sample++) {
      for (let choice = 0; choice < choices.length; choice++) {
        const before = taken[sample]!;
        if (choice === before) continue;
        add(before, sample, -1);
        add(choice, sample, 1);
        const now = meanIou();
        if (now < lowest - 1e-12) {
          [taken[sample], lowest, changed] = [choice, now, true];
          continue;
        }
        add(choice, sample, -1);
        add(before, sample, 1);
      }
    }
  }
  return taken;
}

/** Pixels of each class in truth and prediction both, then those in either. */
function intersectionAndUnion(confusion: SegmentationSample["confusion"], classes: number): Float64Array {
  const counts = new Float64Array(2 * classes);
  for (const [target, predicted, pixels] of confusion) {
    counts[classes + target]! += pixels;
    if (target === predicted) counts[target]! += pixels;
    else counts[classes + predicted]! += pixels;
  }
  return counts;
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
