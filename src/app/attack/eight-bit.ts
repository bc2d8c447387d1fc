import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { eightBit } from "../../methods/attacks/eight-bit.js";
import type { NormName } from "../../methods/attacks/lengths.js";
import { lengths } from "../../methods/attacks/lengths.js";

/** Sizes of a perturbation of one image, in [0, 1] units; in l_0 the number of color values that changed. */
export type PerturbationSize = Readonly<Record<NormName, number>>;

export function perturbationSize(adversarial: Tensor, clean: Tensor): PerturbationSize {
  const [a, c] = [adversarial.data as Float32Array, clean.data as Float32Array];
  const delta = Float64Array.from(a, (v, i) => v - c[i]!);
  return { l_inf: lengths.l_inf(delta), l_2: lengths.l_2(delta), l_1: lengths.l_1(delta), l_0: lengths.l_0(delta) };
}

/** The adversarial image as an 8-bit file can hold it, still inside the ball around the clean one, which must itself be on the 8-bit grid. */
export const saveable = (
  adversarial: Tensor<"float32">,
  clean: Tensor<"float32">,
  norm: NormName,
  epsilon: number,
): Tensor<"float32"> => tensor("float32", clean.shape, eightBit(adversarial.data, clean.data, norm, epsilon));
