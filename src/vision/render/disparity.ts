import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { viridis } from "./color.js";

export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * Numbers as colors: dark is low (far), yellow is high (near). What is not a number is gray.
 *
 * @param map [1, H, W] or [H, W]
 * @returns float32 [3, H, W] in [0, 1]
 */
export function renderDisparity(map: Tensor, { low, high }: Range): Tensor<"float32"> {
  const [height, width] = map.shape.slice(-2) as [number, number];
  const area = height * width;
  const out = tensor("float32", [3, height, width]);
  for (let i = 0; i < area; i++) {
    const v = Number(map.data[i]!);
    const color = Number.isFinite(v) ? viridis((v - low) / Math.max(high - low, 1e-12)) : [0.5, 0.5, 0.5];
    for (let c = 0; c < 3; c++) out.data[c * area + i] = color[c]!;
  }
  return out;
}

/** A common scale for several maps: where 98 of 100 values lie. */
export function disparityRange(maps: readonly Tensor[]): Range {
  const sorted = Float64Array.from(maps.flatMap(({ data }) => Array.from(data as Float32Array).filter(Number.isFinite))).sort();
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return { low: at(0.01), high: at(0.99) };
}
