import type { AttackBatch } from "../batch.js";
import type { AttackOutcome, Judgement, StepRecord } from "../outcome.js";
import { chosenSamples, inParts } from "../packed/chosen-samples.js";
import type { PackedEvaluation } from "../packed/packed-evaluation.js";

/** Attacks some samples of a batch, whose places there are told beside them. */
type TurnSearch = (some: AttackBatch, samples: readonly number[]) => Promise<AttackOutcome["images"]>;

/**
 * A batch that several searches attack one after the other: images whose prediction is wrong, clean or since one of them, are left out of the next, and the
 * others are packed into parts. Of an image that nobody breaks, the result of highest loss is kept. Searches drive away from a class.
 */
export class Turns {
  private constructor(
    private readonly batch: AttackBatch,
    private readonly evaluation: PackedEvaluation,
    readonly clean: Judgement,
    private readonly images: Readonly<Record<string, { readonly data: Float32Array; readonly shape: readonly number[] }>>,
  ) {
    this.loss = clean.loss.slice();
    this.correct = clean.correct.slice();
  }

  private readonly loss: Float32Array;
  private readonly correct: Float32Array;

  static async begin(batch: AttackBatch, evaluation: PackedEvaluation): Promise<Turns> {
    const clean = await evaluation.evaluate(batch, batch.images);
    const images = Object.fromEntries(Object.entries(batch.images).map(([role, t]) => [role, { ...t, data: t.data.slice() }]));
    return new Turns(batch, evaluation, clean, images);
  }

  /** Samples that are still right. */
  get left(): number[] {
    return [...this.correct.keys()].filter((b) => this.correct[b]! > 0);
  }

  /** What is right by now, for each sample. */
  get right(): Float32Array {
    return this.correct.slice();
  }

  /**
   * Lets a search have a go at what is left, in parts of `size`; a part that is not full is filled up with copies of its last sample. 0: all at once,
   * for searches that take any number.
   */
  async take(search: TurnSearch, size: number): Promise<void> {
    const { left } = this;
    for (const samples of size === 0 ? [left].filter((all) => all.length > 0) : inParts(left, size)) {
      const some = chosenSamples(this.batch, samples, size || samples.length);
      const images = await search(some, samples);
      const { loss, correct } = await this.evaluation.evaluate(some, images);
      for (const [i, b] of samples.entries()) {
        if (correct[i]! > 0 && !(loss[i]! > this.loss[b]!)) continue;
        [this.loss[b], this.correct[b]] = [loss[i]!, correct[i]!];
        for (const [role, { data }] of Object.entries(images)) {
          const n = data.length / some.samples.length;
          this.images[role]!.data.set(data.subarray(i * n, (i + 1) * n), b * n);
        }
      }
    }
  }

  /** The images as they are now, judged. */
  async outcome(): Promise<Omit<AttackOutcome, "steps">> {
    const images = this.images as AttackOutcome["images"];
    return { images, ...(await this.evaluation.evaluate(this.batch, images)), clean: this.clean };
  }
}

/** Puts what a step showed of some samples into the records of the whole batch; samples that no search looked at have zeros. */
export function joinRecord(
  records: StepRecord[],
  at: number,
  record: StepRecord,
  samples: readonly number[],
  batch: number,
): void {
  const blank = () => new Float32Array(batch);
  records[at] ??= { ...record, loss: blank(), objective: blank(), zeroGradient: blank(), nanGradient: blank() };
  for (const key of ["loss", "objective", "zeroGradient", "nanGradient"] as const)
    for (const [i, b] of samples.entries()) records[at][key][b] = record[key][i]!;
}
