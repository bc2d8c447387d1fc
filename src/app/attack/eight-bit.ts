import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Norm } from "../../methods/attacks/attack.js";

/** Sizes of a perturbation of one image, in [0, 1] units. */
export interface PerturbationSize {
  readonly l_inf: number;
  readonly l_2: number;
  readonly l_1: number;
}

export function perturbationSize(adversarial: Tensor, clean: Tensor): PerturbationSize {
  const [a, c] = [adversarial.data as Float32Array, clean.data as Float32Array];
  let [largest, squares, total] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - c[i]!);
    largest = Math.max(largest, d);
    squares += d * d;
    total += d;
  }
  return { l_inf: largest, l_2: Math.sqrt(squares), l_1: total };
}

/**
 * The 8-bit image that is saved: each value rounded to the nearest level, and wherever that would leave the ball, rounded towards the clean
 * image instead. The clean image must itself be on the 8-bit grid.
 */
export function saveable(
  adversarial: Tensor<"float32">,
  clean: Tensor<"float32">,
  norm: Norm["name"],
  epsilon: number,
): Tensor<"float32"> {
  const level = (v: number) => Math.min(255, Math.max(0, Math.round(v * 255)));
  const towards = (i: number) => {
    const base = level(clean.data[i]!);
    // 1e-3 of a level absorbs float32 rounding of k / 255.
    return base + Math.trunc(adversarial.data[i]! * 255 - base + 1e-3 * Math.sign(adversarial.data[i]! * 255 - base));
  };
  const n = sizeOf(clean.shape);
  const levels = new Float32Array(n);
  if (norm === "l_inf") {
    const radius = Math.floor(epsilon * 255 + 1e-6);
    for (let i = 0; i < n; i++) {
      const base = level(clean.data[i]!);
      levels[i] = Math.min(base + radius, Math.max(base - radius, level(adversarial.data[i]!)));
    }
  } else {
    for (let i = 0; i < n; i++) levels[i] = level(adversarial.data[i]!);
    const size = perturbationSize(
      tensor(
        "float32",
        clean.shape,
        levels.map((v) => v / 255),
      ),
      clean,
    )[norm];
    if (size > epsilon) for (let i = 0; i < n; i++) levels[i] = towards(i);
  }
  return tensor(
    "float32",
    clean.shape,
    levels.map((v) => v / 255),
  );
}
