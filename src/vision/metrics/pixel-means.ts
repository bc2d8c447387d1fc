import { checkStored, MetricError, OrderFreeSum } from "./metric.js";

/** Means over the valid pixels of one sample; NaN where it has none. */
export type PixelSample<Key extends string> = Readonly<Record<Key, number>> & { readonly pixels: number };

/** The field reports both means: KITTI's and Sintel's tables weight pixels alike, some papers average the means of the images. */
export interface PixelResult<Key extends string> {
  /** Samples that have valid pixels. */
  readonly samples: number;
  readonly pixels: number;
  readonly perPixel: Readonly<Record<Key, number>>;
  readonly perSample: Readonly<Record<Key, number>>;
}

/** Gathers means per sample into means over all pixels and over all samples. */
export class PixelMeans<Key extends string> {
  readonly #keys: readonly Key[];
  #pixels = 0;
  readonly #weighted: Record<Key, OrderFreeSum>;
  readonly #plain: Record<Key, OrderFreeSum>;

  constructor(keys: readonly Key[]) {
    this.#keys = keys;
    this.#weighted = this.#byKey(() => new OrderFreeSum());
    this.#plain = this.#byKey(() => new OrderFreeSum());
  }

  restore(sample: PixelSample<Key>): void {
    checkStored(sample, Object.fromEntries(["pixels", ...this.#keys].map((key) => [key, "number"])));
    if (!Number.isSafeInteger(sample.pixels) || sample.pixels < 0) throw new MetricError("A stored sample lacks its pixels.");
    if (sample.pixels === 0) return;
    this.#pixels += sample.pixels;
    for (const key of this.#keys) {
      this.#plain[key].add(sample[key]);
      this.#weighted[key].add(sample[key] * sample.pixels);
    }
  }

  merge(other: PixelMeans<Key>): void {
    this.#pixels += other.#pixels;
    for (const key of this.#keys) {
      this.#plain[key].merge(other.#plain[key]);
      this.#weighted[key].merge(other.#weighted[key]);
    }
  }

  result(): PixelResult<Key> {
    return {
      samples: this.#plain[this.#keys[0]!].count,
      pixels: this.#pixels,
      perPixel: this.#byKey((key) => this.#weighted[key].sum() / this.#pixels),
      perSample: this.#byKey((key) => this.#plain[key].mean()),
    };
  }

  #byKey<T>(value: (key: Key) => T): Record<Key, T> {
    return Object.fromEntries(this.#keys.map((key) => [key, value(key)])) as Record<Key, T>;
  }
}
