import { type Tensor, tensor } from "../../engine/tensor/tensor.js";

/**
 * A perturbation that one can see: gray where nothing changed, times a whole number that brings the largest change to the end of the scale.
 *
 * @returns the image float32 [3, H, W] in [0, 1], and by how much it is amplified.
 */
export function renderPerturbation(
  adversarial: Tensor<"float32">,
  clean: Tensor<"float32">,
): { readonly image: Tensor<"float32">; readonly gain: number } {
  let largest = 0;
  for (let i = 0; i < clean.data.length; i++) largest = Math.max(largest, Math.abs(adversarial.data[i]! - clean.data[i]!));
  const gain = largest === 0 ? 1 : Math.max(1, Math.floor(0.5 / largest));
  const image = tensor(
    "float32",
    clean.shape,
    clean.data.map((v, i) => Math.min(1, Math.max(0, 0.5 + gain * (adversarial.data[i]! - v)))),
  );
  return { image, gain };
}
