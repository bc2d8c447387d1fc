import { conv } from "../../../../engine/operators/index.js";
import { tensor } from "../../../../engine/tensor/tensor.js";
import type { DescentRule } from "../ascent.js";

/** The kernels by name: weight at a distance of i pixels from the middle, for a kernel that reaches k pixels; made to sum to 1. */
export const kernels = {
  /** Its deviation is a third of the reach, as in the authors' code and torchattacks. */
  gaussian: (i: number, k: number) => Math.exp(-0.5 * ((3 * i) / Math.max(k, 1)) ** 2),
  linear: (i: number, k: number) => 1 - Math.abs(i) / (k + 1),
  uniform: () => 1,
} as const satisfies Readonly<Record<string, (i: number, k: number) => number>>;

export type KernelName = keyof typeof kernels;

/**
 * The translation-invariant method (TI, Dong et al. 2019, eq. 7 and 8) for any rule: the gradient is convolved with a kernel, which stands for its mean over
 * images shifted by up to k pixels. Beyond the border it is 0.
 *
 * @param size side of the kernel, 2 k + 1.
 */
export function smoothed(rule: DescentRule, size: number, kernel: KernelName): DescentRule {
  const k = (size - 1) / 2;
  const line = Array.from({ length: size }, (_, i) => kernels[kernel](i - k, k));
  const sum = line.reduce((a, b) => a + b, 0);
  const plane = Float32Array.from({ length: size * size }, (_, i) => (line[Math.floor(i / size)]! * line[i % size]!) / sum ** 2);
  return {
    ...rule,
    name: `${rule.name}, ${kernel} kernel of ${size}`,
    prepare: (gradient) => {
      const channels = gradient.shape[1]!;
      const weights = new Float32Array(channels * plane.length);
      for (let c = 0; c < channels; c++) weights.set(plane, c * plane.length);
      const w = gradient.graph.constant(tensor("float32", [channels, 1, size, size], weights));
      return conv(rule.prepare?.(gradient) ?? gradient, w, { pads: [k, k, k, k], group: channels });
    },
  };
}
