import { describe, expect, it } from "vitest";
import { gradients } from "../engine/autodiff/gradients.js";
import { Graph, type Value } from "../engine/graph/graph.js";
import { conv, mul, reduceMean, reduceSum, sub, tanh } from "../engine/operators/index.js";
import { Random } from "../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../engine/tensor/tensor.js";
import { runModel } from "../engine/testing/run-model.js";
import type { Predictor } from "./predictor.js";
import type { PredictorSize } from "./spec/model-predictor.js";
import { tiled } from "./tiled-predictor.js";
import type { Tiling } from "./tiling.js";

const random = new Random(3);
const drawn = (shape: Shape): Tensor<"float32"> =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1)),
  );
const [first, second] = [drawn([4, 3, 3, 3]), drawn([2, 4, 3, 3])];

const predictorOf =
  (predict: (x: Value) => Value) =>
  async ({ batch, height, width }: PredictorSize): Promise<Predictor> => ({
    images: { image: [batch, 3, height, width] },
    predict: (_, { image }) => predict(image!),
  });

const identity = predictorOf((x) => x);
const convolved = (x: Value, weight: Tensor<"float32">) => conv(x, x.graph.constant(weight), { pads: [1, 1, 1, 1] });
/** Sees two pixels in each direction, and zeros beyond its image. */
const local = predictorOf((x) => convolved(tanh(convolved(x, first)), second));
/** What it says of a pixel depends on all of its image. */
const global = predictorOf((x) => mul(x, tanh(sub(x, reduceMean(x, [2, 3], "keep")))));

async function run(predictor: Predictor, x: Tensor<"float32">, cotangent: Tensor<"float32"> | undefined = undefined) {
  const graph = new Graph();
  const image = graph.input("image", "float32", predictor.images.image!);
  const y = predictor.predict(graph, { image });
  graph.output("y", y);
  if (cotangent) graph.output("dx", gradients(reduceSum(mul(y, graph.constant(cotangent))), [image])[0]!);
  const { y: prediction, dx } = await runModel(graph, { image: x });
  return { prediction: prediction!, gradient: dx };
}

/** Largest difference of two tensors of one shape. */
function difference(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return (a.data as Float32Array).reduce((most, v, i) => Math.max(most, Math.abs(v - Number(b.data[i]))), 0);
}

const sizes: readonly (readonly [PredictorSize, Tiling])[] = [
  [
    { batch: 2, height: 23, width: 31 },
    { height: 8, width: 12, overlap: 4 },
  ],
  [
    { batch: 1, height: 17, width: 9 },
    { height: 16, width: 8, overlap: 7 },
  ],
  [
    { batch: 3, height: 12, width: 7 },
    { height: 6, width: 7, overlap: 5 },
  ],
];

describe("cut and stitched", () => {
  it.each([
    ...sizes,
    [
      { batch: 2, height: 16, width: 16 },
      { height: 8, width: 8, overlap: 0 },
    ],
    [
      { batch: 2, height: 5, width: 20 },
      { height: 8, width: 8, overlap: 2 },
    ],
    [
      { batch: 1, height: 5, width: 6 },
      { height: 9, width: 11, overlap: 2 },
    ],
  ] as const)("%o by %o is the picture itself", async (size, tiling) => {
    const x = drawn([size.batch, 3, size.height, size.width]);
    const cotangent = drawn(x.shape);
    const { prediction, gradient } = await run(await tiled(size, tiling, identity), x, cotangent);
    expect(difference(prediction, x)).toBe(0);
    expect(difference(gradient!, cotangent)).toBe(0);
  });
});

describe("a local model with enough context", () => {
  it.each(sizes)("on %o by %o predicts what it predicts of the whole, with the whole's gradient", async (size, tiling) => {
    const x = drawn([size.batch, 3, size.height, size.width]);
    const cotangent = drawn([size.batch, 2, size.height, size.width]);
    const whole = await run(await local(size), x, cotangent);
    const tiles = await run(await tiled(size, tiling, local), x, cotangent);
    expect(difference(tiles.prediction, whole.prediction)).toBeLessThan(1e-5);
    expect(difference(tiles.gradient!, whole.gradient!)).toBeLessThan(1e-5);
  });

  it("needs it: with less it predicts otherwise", async () => {
    const size = { batch: 1, height: 16, width: 16 };
    const x = drawn([1, 3, 16, 16]);
    const whole = await run(await local(size), x);
    const tiles = await run(await tiled(size, { height: 8, width: 8, overlap: 2 }, local), x);
    expect(difference(tiles.prediction, whole.prediction)).toBeGreaterThan(0.01);
  });
});

it("adds up what a pixel does to the cores of all tiles that see it", async () => {
  const size = { batch: 1, height: 7, width: 9 };
  const x = drawn([1, 3, 7, 9]);
  const cotangent = drawn(x.shape);
  const predictor = await tiled(size, { height: 4, width: 5, overlap: 2 }, global);
  const { gradient } = await run(predictor, x, cotangent);
  const value = async (at: number, by: number) => {
    const moved = tensor("float32", x.shape, x.data.slice());
    moved.data[at]! += by;
    const { prediction } = await run(predictor, moved);
    return (prediction.data as Float32Array).reduce((sum, v, i) => sum + v * cotangent.data[i]!, 0);
  };
  for (const at of [0, 31, 40, 62, 100, 188]) {
    const slope = ((await value(at, 0.01)) - (await value(at, -0.01))) / 0.02;
    expect(Number(gradient!.data[at])).toBeCloseTo(slope, 3);
  }
});

it("refuses predictions that are not of the size of their image", async () => {
  const predictor = await tiled(
    { batch: 1, height: 16, width: 16 },
    { height: 8, width: 8, overlap: 2 },
    predictorOf((x) => reduceMean(x, [2, 3], "drop")),
  );
  const graph = new Graph();
  const image = graph.input("image", "float32", [1, 3, 16, 16]);
  expect(() => predictor.predict(graph, { image })).toThrow(/a tile of 8x8 .* is \[3\]; tiles are for predictions of the size/);
});
