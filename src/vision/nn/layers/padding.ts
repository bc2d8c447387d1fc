import type { Value } from "../../../engine/graph/graph.js";
import { type PadMode, pad, slice } from "../../../engine/operators/index.js";

/**
 * Pads height and width of [N, C, H, W] at the bottom and right to a multiple of `multiple`.
 *
 * @param mode "constant" (zeros) as NAFNet does inside, "reflect" as Restormer's test scripts do outside.
 */
export function padToMultiple(x: Value, multiple: number, mode: PadMode): Value {
  const [height, width] = spatial(x);
  const [bottom, right] = [missing(height, multiple), missing(width, multiple)];
  return bottom === 0 && right === 0 ? x : pad(x, [0, 0, 0, 0, 0, 0, bottom, right], mode);
}

/** Cuts [N, C, H, W] at the bottom and right down to the given size. */
export function cropTo(x: Value, [height, width]: readonly [height: number, width: number]): Value {
  const [h, w] = spatial(x);
  return h === height && w === width ? x : slice(x, [0, 0], [height, width], { axes: [2, 3] });
}

/** Height and width of [N, C, H, W]. */
export function spatial(x: Value): readonly [height: number, width: number] {
  return [x.shape[2]!, x.shape[3]!];
}

/** The smallest multiple of `multiple` that is at least `size`. */
export function roundUp(size: number, multiple: number): number {
  return size + missing(size, multiple);
}

function missing(size: number, multiple: number): number {
  return (multiple - (size % multiple)) % multiple;
}
