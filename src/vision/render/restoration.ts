import { type Tensor, tensor } from "../../engine/tensor/tensor.js";

/** A restored image as it would be shown: [3, H, W] or [1, H, W], clamped to [0, 1], gray on three channels. */
export function renderRestoration(image: Tensor): Tensor<"float32"> {
  const [channels, height, width] = image.shape as [number, number, number];
  const area = height * width;
  const out = tensor("float32", [3, height, width]);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < area; i++)
      out.data[c * area + i] = Math.min(1, Math.max(0, Number(image.data[(c % channels) * area + i]!)));
  return out;
}
