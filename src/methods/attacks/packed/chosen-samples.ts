import { allocate, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { AttackBatch } from "../batch.js";

/** Entries along the first axis, in the order that is asked for. */
export function entriesOf<T extends Tensor>(t: T, places: readonly number[]): T {
  const shape = t.shape.slice(1);
  const n = sizeOf(shape);
  const data = allocate(t.type, places.length * n) as Float32Array;
  places.forEach((from, to) => {
    data.set((t.data as Float32Array).subarray(from * n, (from + 1) * n), to * n);
  });
  return tensor(t.type, [places.length, ...shape], data) as T;
}

/** Some samples of a batch as a batch of their own, filled up with copies of the last one: programs have one size. */
export function chosenSamples(batch: AttackBatch, samples: readonly number[], size: number): AttackBatch {
  const places = Array.from({ length: size }, (_, i) => samples[Math.min(i, samples.length - 1)]!);
  return {
    ...batch,
    images: Object.fromEntries(Object.entries(batch.images).map(([role, t]) => [role, entriesOf(t, places)])),
    target: entriesOf(batch.target, places),
    ...(batch.valid && { valid: entriesOf(batch.valid, places) }),
    ...(batch.region && { region: entriesOf(batch.region, places) }),
    ...(batch.start && {
      start: Object.fromEntries(Object.entries(batch.start).map(([role, t]) => [role, entriesOf(t, places)])),
    }),
    samples: places.map((i) => batch.samples[i]!),
  };
}

/** The list in parts of `size`; the last one may be shorter. */
export const inParts = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
