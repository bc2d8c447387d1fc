import type { Value } from "../../../engine/graph/graph.js";
import { abs, div, greater, reduceMax, where } from "../../../engine/operators/index.js";

/**
 * A gradient divided by its largest entry, image by image: [B, C, H, W] with entries in [-1, 1]. Its sums and squares neither underflow nor
 * overflow, however small (1e-25) or large the gradient is; a gradient of zeros stays one.
 */
export function scaledByLargest(gradient: Value): Value {
  const largest = reduceMax(abs(gradient), [1, 2, 3], "keep");
  return div(gradient, where(greater(largest, 0), largest, 1));
}
