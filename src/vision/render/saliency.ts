import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { viridis } from "./color.js";

/**
 * Where a number hangs on the picture: the largest |gradient| over the channels, averaged over a square, as color; full color is what 99.5 of
 * 100 pixels stay below.
 *
 * `radius`: the square has 2 radius + 1 pixels a side; default 0, each pixel for itself. Gradients of networks are noisy from pixel to pixel.
 *
 * @param gradient float32 [3, H, W]
 * @returns float32 [3, H, W] in [0, 1]
 */
export function renderSaliency(gradient: Tensor, { radius = 0 }: { readonly radius?: number } = {}): Tensor<"float32"> {
  const [channels, height, width] = gradient.shape as [number, number, number];
  const area = height * width;
  const sharp = new Float32Array(area);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < area; i++) sharp[i] = Math.max(sharp[i]!, Math.abs(Number(gradient.data[c * area + i]!)));
  const rows = averaged(sharp, { lines: height, length: width, along: 1, across: width }, radius);
  const strength = averaged(rows, { lines: width, length: height, along: width, across: 1 }, radius);
  const full = Math.max(strength.slice().sort()[Math.floor(0.995 * (area - 1))]!, Number.MIN_VALUE);
  const out = tensor("float32", [3, height, width]);
  for (let i = 0; i < area; i++)
    viridis(strength[i]! / full).forEach((v, c) => {
      out.data[c * area + i] = v;
    });
  return out;
}

/** Mean over each place and its `radius` neighbors on either side, along lines of the map. */
function averaged(
  map: Float32Array,
  { lines, length, along, across }: { lines: number; length: number; along: number; across: number },
  radius: number,
): Float32Array {
  const out = new Float32Array(map.length);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      const [from, to] = [Math.max(0, i - radius), Math.min(length - 1, i + radius)];
      let sum = 0;
      for (let k = from; k <= to; k++) sum += map[line * across + k * along]!;
      out[line * across + i * along] = sum / (to - from + 1);
    }
  }
  return out;
}
