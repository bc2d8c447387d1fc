import { sizeOf, type Tensor, tensor } from "./tensor.js";

/** Class of each pixel: the first largest logit. [K, ...] -> numbers in row-major order. */
export function argmax(z: Tensor): Int32Array {
  const [classes, ...pixels] = z.shape;
  const n = sizeOf(pixels);
  const best = new Int32Array(n);
  const data = z.data as Float32Array;
  for (let k = 1; k < classes!; k++) for (let i = 0; i < n; i++) if (data[k * n + i]! > data[best[i]! * n + i]!) best[i] = k;
  return best;
}

export function clampUnitTensor(t: Tensor): Tensor<"float32"> {
  return tensor(
    "float32",
    t.shape,
    (t.data as Float32Array).map((v) => Math.min(1, Math.max(0, v))),
  );
}

/** Puts tensors of one shape behind each other along a new first axis. */
export function stack<T extends Tensor>(tensors: readonly T[]): T {
  const [first] = tensors;
  const n = sizeOf(first!.shape);
  const out = tensor(first!.type, [tensors.length, ...first!.shape]);
  tensors.forEach((t, i) => (out.data as Float32Array).set(t.data as Float32Array, i * n));
  return out as T;
}

/** All entries along the first axis, each copied. */
export const entriesOf = <T extends Tensor>(t: T): T[] => Array.from({ length: t.shape[0]! }, (_, i) => unstack(t, i));

/** Entry `i` along the first axis, copied. */
export function unstack<T extends Tensor>(t: T, i: number): T {
  const shape = t.shape.slice(1);
  const n = sizeOf(shape);
  return tensor(t.type, shape, (t.data as Float32Array).slice(i * n, (i + 1) * n)) as T;
}
