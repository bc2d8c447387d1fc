import { describe, expect, it } from "vitest";
import { gradients } from "../engine/autodiff/gradients.js";
import { Graph, type Value } from "../engine/graph/graph.js";
import { add, averagePool, concat, mul, reduceMean, slice } from "../engine/operators/index.js";
import { Random } from "../engine/tensor/random.js";
import { type Shape, sizeOf, tensor } from "../engine/tensor/tensor.js";
import { runModel } from "../engine/testing/run-model.js";
import { type Extent, framed, framing, type Mismatch } from "./framed-predictor.js";
import type { Predictor } from "./predictor.js";
import type { ModelSpec } from "./spec/model-spec.js";
import { type TaskName, tasks } from "./tasks/index.js";

const fixed = (height: number, width: number) => ({ rule: "fixed", height, width }) as const;
const multiple = (of: number) => ({ rule: "multiple", of }) as const;

describe("framing", () => {
  const cases: readonly (readonly [Extent, ModelSpec["size"], Mismatch, Extent, Extent])[] = [
    [{ height: 9, width: 9 }, multiple(8), "pad", { height: 9, width: 9 }, { height: 16, width: 16 }],
    [{ height: 9, width: 21 }, multiple(8), "resize", { height: 8, width: 24 }, { height: 8, width: 24 }],
    [{ height: 300, width: 451 }, fixed(128, 128), "pad", { height: 85, width: 128 }, { height: 128, width: 128 }],
    [{ height: 300, width: 451 }, fixed(128, 128), "resize", { height: 128, width: 128 }, { height: 128, width: 128 }],
    [{ height: 100, width: 120 }, fixed(128, 128), "pad", { height: 100, width: 120 }, { height: 128, width: 128 }],
    [{ height: 20, width: 30 }, fixed(128, 128), "pad", { height: 85, width: 128 }, { height: 128, width: 128 }],
    [{ height: 7, width: 5 }, { rule: "any" }, "pad", { height: 7, width: 5 }, { height: 7, width: 5 }],
  ];
  it.each(cases)("%j to %j, %s", (picture, rule, mismatch, scaled, seen) => {
    expect(framing(picture, rule, mismatch)).toEqual({ scaled, seen });
  });
});

/** A model that yields what `of` makes of its image, and notes the size that it sees. */
const model =
  (of: (image: Value) => Value, seen: Shape[] = []) =>
  async ({ batch, height, width }: { batch: number; height: number; width: number }): Promise<Predictor> => ({
    images: { image: [batch, 3, height, width] },
    predict: (_, { image }) => {
      seen.push(image!.shape);
      return of(image!);
    },
  });

async function predict(
  task: TaskName,
  picture: Extent,
  rule: ModelSpec["size"],
  of: (image: Value) => Value,
  mismatch: Mismatch = "pad",
) {
  const shape = [2, 3, picture.height, picture.width];
  const seen: Shape[] = [];
  const predictor = await framed({ batch: 2, ...picture }, rule, mismatch, tasks[task], model(of, seen));
  expect(predictor.images.image).toEqual(shape);
  const graph = new Graph();
  const image = graph.input("image", "float32", shape);
  const prediction = predictor.predict(graph, { image });
  graph.output("y", prediction);
  graph.output("dx", gradients(prediction, [image])[0]!);
  const random = new Random(1, "picture");
  const x = tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(0, 1)),
  );
  const { y, dx } = await runModel(graph.build(), { image: x });
  return { x, y: y!, dx: dx!, seen: seen[0]! };
}

describe("framed", () => {
  it("gives the picture back where the model does nothing", async () => {
    const { x, y, dx, seen } = await predict("restoration", { height: 9, width: 13 }, multiple(8), (image) => image);
    expect(seen).toEqual([2, 3, 16, 16]);
    expect(y.data).toEqual(x.data);
    expect(dx.data.every((v) => v === 1)).toBe(true);
  });

  it("lets mirrored pixels count for the ones they mirror, and nothing be cropped of the picture", async () => {
    const { y, dx } = await predict("restoration", { height: 9, width: 9 }, multiple(8), (image) =>
      averagePool(image, [3, 3], { pads: [1, 1, 1, 1] }),
    );
    expect(y.shape).toEqual([2, 3, 9, 9]);
    // the sum of the picture's own outputs: the pixel before the last column is seen once more, through its mirror image
    expect(Number(dx.data[9 * 4 + 7])).toBeGreaterThan(Number(dx.data[9 * 4 + 4]) + 0.1);
  });

  it("keeps a constant picture constant through scaling", async () => {
    const { y } = await predict("segmentation", { height: 30, width: 45 }, fixed(16, 16), (image) =>
      concat([mul(slice(image, [0], [1], { axes: [1] }), 0), add(mul(reduceMean(image, [1], "keep"), 0), 0.25)], 1),
    );
    expect(y.shape).toEqual([2, 2, 30, 45]);
    y.data.forEach((v, i) => {
      expect(v).toBeCloseTo(Math.floor(i / 1350) % 2 === 0 ? 0 : 0.25, 6);
    });
  });

  it("scales motion and disparity with the picture", async () => {
    const one = (channels: number) => (image: Value) => add(mul(slice(image, [0], [channels], { axes: [1] }), 0), 1);
    const flow = await predict("flow", { height: 32, width: 64 }, fixed(16, 16), one(2), "resize");
    expect(flow.y.data[0]).toBeCloseTo(4, 5);
    expect(flow.y.data[32 * 64]).toBeCloseTo(2, 5);
    const disparity = await predict("disparity", { height: 32, width: 64 }, fixed(16, 16), one(1), "resize");
    expect(disparity.y.data[100]).toBeCloseTo(4, 5);
  });

  it.each([
    [{ height: 3, width: 40 }, multiple(8)],
    [{ height: 1, width: 5 }, multiple(8)],
    [{ height: 1, width: 1 }, fixed(6, 7)],
    [{ height: 4, width: 100 }, fixed(32, 32)],
  ] as const)("mirrors %j as often as it must", async (picture, rule) => {
    const { y } = await predict("restoration", picture, rule, (image) => image);
    expect(y.shape).toEqual([2, 3, picture.height, picture.width]);
    expect(y.data.every((v) => v >= 0 && v <= 1)).toBe(true);
  });

  it("leaves classes alone", async () => {
    const { y, seen } = await predict("classification", { height: 10, width: 40 }, fixed(20, 20), (image) =>
      reduceMean(image, [2, 3], "drop"),
    );
    expect(seen).toEqual([2, 3, 20, 20]);
    expect(y.shape).toEqual([2, 3]);
  });
});
