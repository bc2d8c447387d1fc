import type { Value } from "../../engine/graph/graph.js";
import { add, clip, div, matMul, mul, reduceSum, relu, slice, sub, transpose } from "../../engine/operators/index.js";
import { SensorError } from "./error.js";
import type { Layout } from "./layouts/layout.js";
import { columnLike, rowLike, type Size } from "./samples.js";

/**
 * What upright rectangular pixels see, exactly: the bilinear image is a sum of products of hats, Σ img[m, n] B_m(y) B_n(x), and a pixel's
 * integral is a product of integrals of hats, so that all readings are I = R img Cᵀ with a matrix for the rows and one for the columns.
 * Exact are the gradients, too. θ = 0 gives the means over blocks of the image smoothed by [1/8, 3/4, 1/8] along both axes, which is what
 * bilinear interpolation makes of an image.
 *
 * @param images [N, C, H, W]
 * @returns [N, C, h, w]
 * @throws SensorError for a layout whose pixels are curved.
 */
export function exactReading(images: Value, layout: Layout, theta: readonly Value[], [height, width]: Size): Value {
  if (layout.pixels !== "axis-aligned")
    throw new SensorError(
      `The exact integral is for upright rectangular pixels, and those of the layout ${layout.name} are curved; use samples.`,
    );
  const [, , imageHeight, imageWidth] = images.shape as [number, number, number, number];
  const edges = (count: number) =>
    columnLike(
      images,
      Array.from({ length: count + 1 }, (_, i) => -1 + (2 * i) / count),
    );
  const still = (of: Value) => mul(of, 0);
  const [x, y] = [edges(width), edges(height)];
  const columns = hatMeans(layout.map({ x, y: still(x) }, theta).x, imageWidth);
  const rows = hatMeans(layout.map({ x: still(y), y }, theta).y, imageHeight);
  return matMul(matMul(rows, images), transpose(columns, [1, 0]));
}

/**
 * The mean of each hat between neighboring edges.
 *
 * @param edges [n + 1, 1] in [-1, 1], rising
 * @param size pixels of the image along this axis
 * @returns [n, size], whose rows sum to 1
 */
function hatMeans(edges: Value, size: number): Value {
  const count = edges.shape[0]! - 1;
  // In units of pixels, their centers at whole numbers.
  const place = add(mul(edges, size / 2), (size - 1) / 2);
  const centers = rowLike(edges, size, (n) => n);
  // ∫ of the hat max(0, 1 - |v|) from -∞ is ½ + v + min(v, 0)²/2 - max(v, 0)²/2 on [-1, 1]. Beyond the outermost centers the border is
  // repeated: there the hat stays 1, and the square of that side is missing.
  const v = clip(sub(place, centers), -1, 1);
  const [left, right] = [clip(v, undefined, 0), relu(v)];
  const without = (which: number) => rowLike(edges, size, (n) => (n === which ? 0 : 0.5));
  const squares = sub(mul(mul(left, left), without(0)), mul(mul(right, right), without(size - 1)));
  const integral = add(add(v, 0.5), squares);
  const parts = sub(slice(integral, [1], [count + 1], { axes: [0] }), slice(integral, [0], [count], { axes: [0] }));
  return div(parts, reduceSum(parts, [1], "keep"));
}
