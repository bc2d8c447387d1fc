import { checkArray, checkStored, type Metric, MetricError } from "./metric.js";

export interface ClassificationSample {
  /** How many classes stand before the right one; 0 means the prediction is right. */
  readonly rank: number;
  readonly predicted: number;
}

export interface ClassificationResult {
  readonly samples: number;
  /** Share of samples whose class is the first one, in [0, 1]. */
  readonly top1: number;
  /** Share whose class is among the first five (all, when there are no more than five classes), in [0, 1]. */
  readonly top5: number;
}

/**
 * Top-1 and top-5 accuracy. Of equal logits the lower class stands first, as argmax has it; one that is not a number stands before all
 * others, and a right class whose logit is none is never among the first.
 *
 * @example
 * const metric = new ClassificationMetric();
 * metric.update(logits, 3);
 * metric.result().top1;
 */
export class ClassificationMetric
  implements Metric<[ArrayLike<number>, number | bigint], ClassificationSample, ClassificationResult>
{
  #samples = 0;
  #first = 0;
  #firstFive = 0;

  /**
   * @param logits one sample's, [K].
   * @throws MetricError when the target is not a class.
   */
  update(logits: ArrayLike<number>, target: number | bigint): ClassificationSample {
    checkArray("prediction", logits);
    const sample = measure(logits, Number(target));
    this.restore(sample);
    return sample;
  }

  restore(sample: ClassificationSample): void {
    checkStored(sample, { rank: "number" });
    const { rank } = sample;
    this.#samples++;
    if (rank < 1) this.#first++;
    if (rank < 5) this.#firstFive++;
  }

  merge(other: ClassificationMetric): void {
    this.#samples += other.#samples;
    this.#first += other.#first;
    this.#firstFive += other.#firstFive;
  }

  result(): ClassificationResult {
    return { samples: this.#samples, top1: this.#first / this.#samples, top5: this.#firstFive / this.#samples };
  }
}

function measure(logits: ArrayLike<number>, target: number): ClassificationSample {
  const right = logits[target];
  if (right === undefined)
    throw new MetricError(`The target class is ${target}, but there are classes 0 to ${logits.length - 1}.`);
  if (Number.isNaN(right)) return { rank: logits.length, predicted: argmax(logits) };
  let rank = 0;
  for (let k = 0; k < logits.length; k++) {
    const behind = logits[k]! < right || (logits[k] === right && k >= target);
    if (!behind) rank++;
  }
  return { rank, predicted: argmax(logits) };
}

function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < logits.length && !Number.isNaN(logits[best]); k++) {
    if (!(logits[k]! <= logits[best]!)) best = k;
  }
  return best;
}
