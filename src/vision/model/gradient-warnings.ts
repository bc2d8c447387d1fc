import { unstack } from "../../engine/tensor/arrays.js";
import { type Tensor, toNumbers } from "../../engine/tensor/tensor.js";

/** Sentences for gradients that say nothing. */
export function gradientWarnings(slopes: readonly Tensor[]): string[] {
  const count = slopes[0]?.shape[0] ?? 0;
  const entries = (i: number) => slopes.flatMap((t) => toNumbers(unstack(t, i)));
  const zero: number[] = [];
  const nan: number[] = [];
  for (let i = 0; i < count; i++) {
    const values = entries(i);
    if (values.every((v) => v === 0)) zero.push(i);
    if (values.some((v) => !Number.isFinite(v))) nan.push(i);
  }
  return gradientSentences(zero, nan, count);
}

/** @param zero images whose gradient is 0 everywhere. @param nan those whose gradient is somewhere no finite number. */
export function gradientSentences(zero: readonly number[], nan: readonly number[], count: number): string[] {
  const which = (list: readonly number[]) =>
    `${list.length} of ${count} image${count === 1 ? "" : "s"} (${list.slice(0, 8).join(", ")}${list.length > 8 ? ", ..." : ""})`;
  return [
    ...(zero.length > 0
      ? [
          `The gradient is 0 everywhere for ${which(zero)}: nothing can be followed there; does the model saturate, or mask its gradient?`,
        ]
      : []),
    ...(nan.length > 0
      ? [`The gradient is not a finite number somewhere for ${which(nan)}; does the model divide by 0 or take a root of it?`]
      : []),
  ];
}
