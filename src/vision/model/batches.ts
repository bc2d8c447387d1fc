import { allocate, sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";

/** A part of many samples: those from `from` up to `to`. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** How many samples are cut into batches; the last one may be smaller. */
export const partsOf = (count: number, batch: number): Part[] =>
  Array.from({ length: Math.ceil(count / batch) }, (_, i) => ({ from: i * batch, to: Math.min(count, (i + 1) * batch) }));

/** A part along the first axis, filled up to `batch` with copies of its last entry: programs have one size. */
export function filledPart<T extends Tensor>(t: T, { from, to }: Part, batch: number): T {
  const shape = t.shape.slice(1);
  const n = sizeOf(shape);
  const data = allocate(t.type, batch * n) as Float32Array;
  const source = t.data as Float32Array;
  data.set(source.subarray(from * n, to * n));
  for (let i = to - from; i < batch; i++) data.set(source.subarray((to - 1) * n, to * n), i * n);
  return tensor(t.type, [batch, ...shape], data) as T;
}

/** Tensors of many samples, put together from those of batches. */
export class Gathered<T extends Tensor = Tensor> {
  #whole: T | undefined;

  constructor(private readonly count: number) {}

  /** Takes what a batch gave; what it was filled up with is left out. */
  add(t: T, { from, to }: Part): void {
    const n = sizeOf(t.shape.slice(1));
    this.#whole ??= tensor(t.type, [this.count, ...t.shape.slice(1)]) as T;
    (this.#whole.data as Float32Array).set((t.data as Float32Array).subarray(0, (to - from) * n), from * n);
  }

  get whole(): T {
    if (!this.#whole) throw new RangeError("Nothing was gathered.");
    return this.#whole;
  }
}
