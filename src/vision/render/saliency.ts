import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { viridis } from "./colour.js";

/**
 * Where the loss hangs on the picture: the largest |gradient| over the channels, its square root as colour, so that faint regions show too;
 * full colour is what 99.5 of 100 pixels stay below.
 *
 * @param gradient float32 [3, H, W]
 * @returns float32 [3, H, W] in [0, 1]
 */
export function renderSaliency(gradient: Tensor): Tensor<"float32"> {
  const [channels, height, width] = gradient.shape as [number, number, number];
  const area = height * width;
  const strength = new Float32Array(area);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < area; i++) strength[i] = Math.max(strength[i]!, Math.abs(Number(gradient.data[c * area + i]!)));
  const full = Math.max(strength.slice().sort()[Math.floor(0.995 * (area - 1))]!, Number.MIN_VALUE);
  const out = tensor("float32", [3, height, width]);
  for (let i = 0; i < area; i++)
    viridis(Math.sqrt(strength[i]! / full)).forEach((v, c) => {
      out.data[c * area + i] = v;
    });
  return out;
}
