import type { Value } from "../../engine/graph/graph.js";
import { add, concat, gridSample, mul, reshape } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Point } from "./layouts/layout.js";

/** Height and width of a sensor or an image, in pixels. */
export type Size = readonly [height: number, width: number];

/**
 * Jittered samples of each pixel: the unit square is cut into `count` equal cells, as square as they come, and each has one sample, uniform
 * in it.
 *
 * @returns offsets within the pixel, x and y [h·w, count] in [0, 1).
 */
export function jitteredOffsets([height, width]: Size, count: number, seed: number | string) {
  const random = new Random(seed, "sensor/pixels");
  const rows = largestDivisorUpTo(count, Math.sqrt(count));
  const columns = count / rows;
  const [x, y] = [tensor("float32", [height * width, count]), tensor("float32", [height * width, count])];
  for (let i = 0; i < height * width * count; i++) {
    x.data[i] = belowOne(((i % columns) + random.uniform()) / columns);
    y.data[i] = belowOne(((Math.floor(i / columns) % rows) + random.uniform()) / rows);
  }
  return { x, y };
}

/** Jittered samples along lines: one in each of `count` equal parts. @returns [lines, count] in [0, 1) */
export function jitteredAlong(lines: number, count: number, seed: number | string): Tensor<"float32"> {
  const random = new Random(seed, "sensor/edges");
  const offsets = tensor("float32", [lines, count]);
  for (let i = 0; i < lines * count; i++) offsets.data[i] = belowOne(((i % count) + random.uniform()) / count);
  return offsets;
}

/** Rounding to float32 must not reach the next pixel. */
const belowOne = (v: number): number => Math.min(v, 1 - 2 ** -24);

function largestDivisorUpTo(n: number, bound: number): number {
  for (let d = Math.floor(bound); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** Where samples lie on the sensor's regular grid, which runs from -1 to 1. @param offsets x and y [h·w, K] in [0, 1) */
export function pixelSamples({ x, y }: Point, [height, width]: Size): Point {
  const pixels = Array.from({ length: height * width }, (_, i) => i);
  const left = pixels.map((i) => -1 + (2 * (i % width)) / width);
  const top = pixels.map((i) => -1 + (2 * Math.floor(i / width)) / height);
  return { x: add(columnLike(x, left), mul(x, 2 / width)), y: add(columnLike(y, top), mul(y, 2 / height)) };
}

/** A constant [n, 1] of another value's type. */
export function columnLike({ graph, type }: Value, values: readonly number[]): Value {
  return graph.constant(tensor(type, [values.length, 1], values));
}

/** A constant [1, count] of another value's type. */
export function rowLike({ graph, type }: Value, count: number, of: (n: number) => number): Value {
  return graph.constant(
    tensor(
      type,
      [1, count],
      Array.from({ length: count }, (_, n) => of(n)),
    ),
  );
}

/**
 * Images at points: bilinear, the border repeated, pixel j of W centered at (2 j + 1) / W - 1. All images share the points, so that they
 * are sampled as the channels of one.
 *
 * @param images [N, C, H, W]
 * @param p x and y [P, K]
 * @returns [N·C, P, K]
 */
export function sampleImages(images: Value, { x, y }: Point): Value {
  const [n, c, height, width] = images.shape as [number, number, number, number];
  const [points, count] = x.shape as [number, number];
  const shape = [1, points, count, 1];
  const grid = concat([reshape(x, shape), reshape(y, shape)], 3);
  const sampled = gridSample(reshape(images, [1, n * c, height, width]), grid, { padding: "border" });
  return reshape(sampled, [n * c, points, count]);
}
