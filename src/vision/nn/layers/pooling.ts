import type { Value } from "../../../engine/graph/graph.js";
import { cumSum, div, matMul, pad, reduceMean, slice, sub } from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { spatial } from "./padding.js";

/** `torch.nn.AdaptiveAvgPool2d(1)`: the mean of each channel, [N, C, 1, 1]. */
export function globalAveragePool2d(x: Value): Value {
  return reduceMean(x, [2, 3], "keep");
}

/**
 * The mean over a window about each pixel, [N, C, H, W]: what "improving image restoration by revisiting global information aggregation"
 * (TLC, Chu et al. 2022) puts in the place of a global mean at test time, so that statistics match those of the training crops. Windows
 * stay inside the image; the border repeats the nearest full window. A window of at least the image's size is the global mean.
 */
export function localAveragePool2d(x: Value, [kernelHeight, kernelWidth]: readonly [height: number, width: number]): Value {
  const [height, width] = spatial(x);
  if (kernelHeight >= height && kernelWidth >= width) return globalAveragePool2d(x);
  const kernel = [Math.min(height, kernelHeight), Math.min(width, kernelWidth)] as const;
  const means = div(runningSum(runningSum(x, 2, kernel[0]), 3, kernel[1]), kernel[0] * kernel[1]);
  const [lostRows, lostColumns] = [kernel[0] - 1, kernel[1] - 1];
  const [top, left] = [Math.floor(lostRows / 2), Math.floor(lostColumns / 2)];
  return pad(means, [0, 0, top, left, 0, 0, lostRows - top, lostColumns - left], "edge");
}

/** Sums of `length` neighbors along an axis, as differences of cumulative sums: linear in the size whatever the length. */
function runningSum(x: Value, axis: number, length: number): Value {
  const size = x.shape[axis]!;
  const leadingZero = x.shape.map((_, i) => (i === axis ? 1 : 0));
  const sums = pad(cumSum(x, axis), [...leadingZero, ...x.shape.map(() => 0)]);
  return sub(slice(sums, [length], [size + 1], { axes: [axis] }), slice(sums, [0], [size + 1 - length], { axes: [axis] }));
}

/** `torch.nn.AdaptiveAvgPool2d(count)`: region i of an axis of length n spans ⌊i n / count⌋ up to ⌈(i + 1) n / count⌉. */
export function adaptiveAveragePool2d(x: Value, count: number): Value {
  const [height, width] = spatial(x);
  const rows = x.graph.constant(tensor("float32", [count, height], regionMeans(height, count)));
  const columns = x.graph.constant(tensor("float32", [width, count], transposed(regionMeans(width, count), count, width)));
  return matMul(matMul(rows, x), columns);
}

/** Row i averages over region i. */
function regionMeans(length: number, count: number): number[] {
  return Array.from({ length: count * length }, (_, at) => {
    const [region, position] = [Math.floor(at / length), at % length];
    const [begin, end] = [Math.floor((region * length) / count), Math.ceil(((region + 1) * length) / count)];
    return position >= begin && position < end ? 1 / (end - begin) : 0;
  });
}

function transposed(matrix: readonly number[], rows: number, columns: number): number[] {
  return Array.from({ length: matrix.length }, (_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]!);
}
