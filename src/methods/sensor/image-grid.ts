import type { Value } from "../../engine/graph/graph.js";
import { add, clip, equal, floor, matMul, mul, reshape, sub, transpose, where } from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { Layout } from "./layouts/layout.js";
import { columnLike, rowLike, type Size, sampleImages } from "./samples.js";

/**
 * What lies on the sensor's grid, such as the prediction of a network, brought back to the image's: the value at the center X of each pixel
 * of the image is that at φ⁻¹(X) on the sensor, bilinear, the border repeated. Differentiable in the values and in θ.
 *
 * Where φ maps each axis by itself, that is a product with a matrix for the rows and one for the columns, which is several times as fast as
 * sampling, most of all in the gradient.
 *
 * @param onSensor [N, C, h, w]; h and w need not be the sensor's, the grid runs from -1 to 1 in any case.
 * @param size of the image
 * @returns [N, C, H, W]
 */
export function toImageGrid(onSensor: Value, layout: Layout, theta: readonly Value[], [height, width]: Size): Value {
  const centers = (count: number) => Array.from({ length: count }, (_, i) => (2 * i + 1) / count - 1);
  const [, , rows, columns] = onSensor.shape as [number, number, number, number];
  if (layout.pixels === "axis-aligned") {
    const [x, y] = [columnLike(onSensor, centers(width)), columnLike(onSensor, centers(height))];
    const down = interpolation(layout.inverse({ x: mul(y, 0), y }, theta).y, rows);
    const across = interpolation(layout.inverse({ x, y: mul(x, 0) }, theta).x, columns);
    const turned = transpose(across, [1, 0]);
    // Of the two orders, that with fewer products of numbers.
    return rows * width * (columns + height) < height * columns * (rows + width)
      ? matMul(down, matMul(onSensor, turned))
      : matMul(matMul(down, onSensor), turned);
  }
  const { graph, type } = onSensor;
  const constant = (values: readonly number[]) => graph.constant(tensor(type, [height, width], values));
  const points = {
    x: constant(centers(height).flatMap(() => centers(width))),
    y: constant(centers(height).flatMap((y) => centers(width).map(() => y))),
  };
  const sampled = sampleImages(onSensor, layout.inverse(points, theta));
  return reshape(sampled, [onSensor.shape[0]!, onSensor.shape[1]!, height, width]);
}

/**
 * Weights of linear interpolation between `count` values whose centers lie at (2 n + 1) / count - 1, the border repeated.
 *
 * @param places [P, 1] in [-1, 1]
 * @returns [P, count]
 */
function interpolation(places: Value, count: number): Value {
  const v = clip(add(mul(places, count / 2), (count - 1) / 2), 0, count - 1);
  const first = floor(v);
  const share = sub(v, first);
  const numbers = rowLike(places, count, (n) => n);
  return where(equal(numbers, first), sub(1, share), where(equal(numbers, add(first, 1)), share, 0));
}
