import type { Value } from "../../../engine/graph/graph.js";
import { resize } from "../../../engine/operators/index.js";

/** Where the samples lie: "half-pixel" is PyTorch's `align_corners=False`, "corners" its `align_corners=True`. */
export type Alignment = "half-pixel" | "corners";

/** Bilinear interpolation of [N, C, H, W] to another height and width, without antialiasing. */
export function resizeBilinear(
  x: Value,
  [height, width]: readonly [height: number, width: number],
  alignment: Alignment = "half-pixel",
): Value {
  return resize(x, {
    sizes: [x.shape[0]!, x.shape[1]!, height, width],
    mode: "linear",
    coordinates: alignment === "half-pixel" ? "half_pixel" : "align_corners",
  });
}
