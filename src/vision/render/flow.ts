import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Rgb } from "./color.js";

// The color wheel of the Middlebury benchmark (Baker et al. 2011, after Sheelagh Carpendale): six arcs between the primary colors, each with
// as many steps as the eye tells apart in it.
const arcs: readonly { readonly steps: number; readonly from: Rgb; readonly to: Rgb }[] = [
  { steps: 15, from: [1, 0, 0], to: [1, 1, 0] },
  { steps: 6, from: [1, 1, 0], to: [0, 1, 0] },
  { steps: 4, from: [0, 1, 0], to: [0, 1, 1] },
  { steps: 11, from: [0, 1, 1], to: [0, 0, 1] },
  { steps: 13, from: [0, 0, 1], to: [1, 0, 1] },
  { steps: 6, from: [1, 0, 1], to: [1, 0, 0] },
];
const total = arcs.reduce((n, a) => n + a.steps, 0);

/** Direction as hue, length as saturation: white is no motion, full color a length of 1, longer ones are darker. */
export function flowColor(u: number, v: number): Rgb {
  const length = Math.hypot(u, v);
  let place = ((Math.atan2(-v, -u) / Math.PI + 1) / 2) * (total - 1);
  let arc = arcs[0]!;
  for (arc of arcs) {
    if (place < arc.steps) break;
    place -= arc.steps;
  }
  const t = Math.min(1, place / arc.steps);
  return [0, 1, 2].map((c) => {
    const hue = (1 - t) * arc.from[c]! + t * arc.to[c]!;
    return length <= 1 ? 1 - length * (1 - hue) : hue * 0.75;
  }) as unknown as Rgb;
}

/**
 * Flow as colors.
 *
 * @param flow float32 [2, H, W], pixels.
 * @param radius the length, in pixels, that has full color; see `flowRadius`.
 * @returns float32 [3, H, W] in [0, 1]
 */
export function renderFlow(flow: Tensor, radius: number): Tensor<"float32"> {
  const [, height, width] = flow.shape as [number, number, number];
  const area = height * width;
  const out = tensor("float32", [3, height, width]);
  for (let i = 0; i < area; i++) {
    const color = flowColor(Number(flow.data[i]!) / radius, Number(flow.data[area + i]!) / radius);
    for (let c = 0; c < 3; c++) out.data[c * area + i] = color[c]!;
  }
  return out;
}

/** A common scale for several flows: the length that 99 of 100 pixels stay below, and never 0. */
export function flowRadius(flows: readonly Tensor[]): number {
  const lengths = flows.flatMap(({ shape, data }) => {
    const area = shape[1]! * shape[2]!;
    return Array.from({ length: area }, (_, i) => Math.hypot(Number(data[i]!), Number(data[area + i]!)));
  });
  const sorted = Float64Array.from(lengths.filter(Number.isFinite)).sort();
  return Math.max(1e-6, sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))] ?? 0);
}

/** The wheel itself: what color a motion towards that side has. float32 [3, size, size], white outside. */
export function flowWheel(size: number): Tensor<"float32"> {
  const out = tensor("float32", [3, size, size], new Float32Array(3 * size * size).fill(1));
  const middle = (size - 1) / 2;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [u, v] = [(x - middle) / middle, (y - middle) / middle];
      if (Math.hypot(u, v) > 1) continue;
      flowColor(u, v).forEach((value, c) => {
        out.data[(c * size + y) * size + x] = value;
      });
    }
  }
  return out;
}
