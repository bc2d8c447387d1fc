import type { Tensor } from "../../../engine/tensor/tensor.js";

/** Flow or disparity and where it is known. */
export interface Correspondence {
  /** float32 `[2, H, W]` (flow: u right, v down) or `[1, H, W]` (disparity), in pixels; 0 where unknown. */
  readonly target: Tensor<"float32">;
  /** bool `[H, W]`: 1 where the target is known. */
  readonly valid: Tensor<"bool">;
}
