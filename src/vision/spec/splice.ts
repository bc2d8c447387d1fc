import type { Value } from "../../engine/graph/graph.js";
import { mul, reduceMean, transpose } from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { tasks } from "../tasks/index.js";
import type { ModelSpec } from "./model-spec.js";
import { swapRedBlue, toRange } from "./output.js";

/** From an image in [0, 1], RGB, NCHW to what the model eats. */
export function preprocess(image: Value, spec: ModelSpec): Value {
  const ordered = spec.channels === "gray" ? luma(image) : spec.channels === "bgr" ? swapRedBlue(image) : image;
  // Mean and deviation are given in the model's own channel order.
  const ranged = toRange(ordered, spec.range);
  return spec.layout === "nhwc" ? transpose(ranged, [0, 2, 3, 1]) : ranged;
}

/**
 * From a model's raw outputs to the task's canonical prediction, at the image's size.
 *
 * @param size height and width of the input image: coarser maps are resized to it (bilinear, half-pixel centers), as evaluation against
 *   full-size ground truth needs.
 * @throws SpecError when the outputs cannot be what the specification says.
 */
export const postprocess = (
  outputs: readonly [Value, ...Value[]],
  spec: ModelSpec,
  size: readonly [height: number, width: number],
): Value => tasks[spec.task].output.read(outputs, spec, size);

/** ITU-R BT.601: .299 R + .587 G + .114 B, for models that take one gray channel. */
function luma(x: Value): Value {
  if (x.shape[1] === 1) return x;
  const weights = x.graph.constant(tensor("float32", [1, 3, 1, 1], [0.299, 0.587, 0.114]));
  return mul(reduceMean(mul(x, weights), [1], "keep"), 3);
}
