import type { Value } from "../../engine/graph/graph.js";
import { reshape } from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { Layout } from "./layouts/layout.js";
import { type Size, sampleImages } from "./samples.js";

/**
 * What lies on the sensor's grid, such as the prediction of a network, brought back to the image's: the value at the center X of each pixel
 * of the image is that at φ⁻¹(X) on the sensor, bilinear, the border repeated. Differentiable in the values and in θ.
 *
 * @param onSensor [N, C, h, w]; h and w need not be the sensor's, the grid runs from -1 to 1 in any case.
 * @param size of the image
 * @returns [N, C, H, W]
 */
export function toImageGrid(onSensor: Value, layout: Layout, theta: readonly Value[], [height, width]: Size): Value {
  const { graph, type } = onSensor;
  const pixels = Array.from({ length: height * width }, (_, i) => i);
  const constant = (values: readonly number[]) => graph.constant(tensor(type, [height, width], values));
  const center = (i: number, count: number) => (2 * i + 1) / count - 1;
  const centers = {
    x: constant(pixels.map((i) => center(i % width, width))),
    y: constant(pixels.map((i) => center(Math.floor(i / width), height))),
  };
  const sampled = sampleImages(onSensor, layout.inverse(centers, theta));
  return reshape(sampled, [onSensor.shape[0]!, onSensor.shape[1]!, height, width]);
}
