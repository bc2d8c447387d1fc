import { Random } from "../../engine/tensor/random.js";
import { type DataType, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Dataset, Sample } from "../../vision/data/dataset.js";
import { tasks } from "../../vision/tasks/index.js";
import { type Augmentation, augment } from "./augmentation.js";
import { TrainingError } from "./error.js";
import type { TrainingLoss } from "./losses.js";

/** Images [B, C, H, W] by the network's names for them, the task's target, and where it is known [B, H, W] (tasks whose truth is masked). */
export interface TrainingBatch {
  readonly images: Readonly<Record<string, Tensor<"float32">>>;
  readonly target: Tensor;
  readonly valid?: Tensor<"float32">;
  /** Attacked versions of the images, where the objective takes both (TRADES). */
  readonly attacked?: Readonly<Record<string, Tensor<"float32">>>;
}

export interface BatchOptions {
  readonly size: number;
  readonly seed: number | string;
  readonly augmentation: Augmentation;
  /** Names of the network's images, in the data set's order. */
  readonly inputs: readonly string[];
}

/**
 * A data set as an endless row of batches. Every pass takes all samples once, in an order of its own. Batch i depends on the seed and i
 * alone, so that a resumed run sees what an unbroken one would have seen.
 */
export class Batches {
  readonly #permutations = new Map<number, readonly number[]>();

  constructor(
    private readonly dataset: Dataset,
    private readonly loss: TrainingLoss,
    private readonly options: BatchOptions,
  ) {
    if (dataset.task !== loss.task)
      throw new TrainingError(`The data set ${dataset.name} is for ${dataset.task}, but the loss is for ${loss.task}.`);
  }

  /** @throws DataError when a sample cannot be read; TrainingError when samples have no target or sizes differ. */
  async batch(index: number): Promise<TrainingBatch> {
    const { size, seed, augmentation } = this.options;
    const samples: Sample[] = [];
    for (let i = index * size; i < (index + 1) * size; i++) {
      const pass = Math.floor(i / this.dataset.length);
      const sample = await this.dataset.sample(this.#order(pass)[i % this.dataset.length]!);
      samples.push(augment(sample, this.dataset.task, augmentation, new Random(seed, `augmentation/${i}`)));
    }
    return collate(samples, this.loss, this.options.inputs);
  }

  #order(pass: number): readonly number[] {
    let order = this.#permutations.get(pass);
    if (!order) {
      this.#permutations.clear();
      order = new Random(this.options.seed, `order/${pass}`).permutation(this.dataset.length);
      this.#permutations.set(pass, order);
    }
    return order;
  }
}

/** The data set with the samples it has given so far kept in memory, up to the given number of bytes. */
export function inMemory(dataset: Dataset, limit = 2 ** 28): Dataset {
  const kept = new Map<number, Sample>();
  let bytes = 0;
  return {
    ...dataset,
    sample: async (index) => {
      const known = kept.get(index);
      if (known) return known;
      const sample = await dataset.sample(index);
      const { inputs, target, valid, occluded } = sample;
      const size = [...Object.values(inputs), target, valid, occluded].reduce((sum, t) => sum + (t?.data.byteLength ?? 0), 0);
      if (bytes + size <= limit) {
        kept.set(index, sample);
        bytes += size;
      }
      return sample;
    },
  };
}

/** Puts samples of one size together. @throws TrainingError when a target is missing or sizes differ. */
export function collate(samples: readonly Sample[], loss: TrainingLoss, inputs: readonly string[]): TrainingBatch {
  const names = Object.keys(samples[0]!.inputs);
  const images = inputs.map((name, i) => [name, stack(samples, "float32", (s) => s.inputs[names[i] ?? ""])] as const);
  const integer = tasks[loss.task].kind === "classes";
  const target = stack(samples, integer ? "int64" : "float32", (s) => s.target);
  if (!loss.masked) return { images: Object.fromEntries(images), target };
  const everywhere = (s: Sample) => {
    const shape = s.target!.shape.slice(-2);
    return s.valid ?? tensor("bool", shape, new Uint8Array(shape[0]! * shape[1]!).fill(1));
  };
  return { images: Object.fromEntries(images), target, valid: stack(samples, "float32", everywhere) };
}

function stack<T extends DataType>(samples: readonly Sample[], type: T, pick: (s: Sample) => Tensor | undefined): Tensor<T> {
  const parts = samples.map((s) => {
    const t = pick(s);
    if (!t) throw new TrainingError(`Sample ${s.id} lacks an image or a target; training needs both.`);
    return { id: s.id, t };
  });
  const { shape } = parts[0]!.t;
  const size = parts[0]!.t.data.length;
  const out = tensor(type, [parts.length, ...shape]);
  for (const [i, { id, t }] of parts.entries()) {
    if (t.shape.join() !== shape.join())
      throw new TrainingError(
        `Samples ${parts[0]!.id} and ${id} differ in size (${shape.slice(-2).join("x")} and ${t.shape.slice(-2).join("x")}); set a crop.`,
      );
    const values = type === "int64" ? BigInt64Array.from(t.data as ArrayLike<number | bigint> as number[], BigInt) : t.data;
    (out.data as { set(v: ArrayLike<unknown>, at: number): void }).set(values as ArrayLike<unknown>, i * size);
  }
  return out;
}
