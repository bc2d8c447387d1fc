import { expect, it } from "vitest";
import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import type { Sample } from "../../vision/data/dataset.js";
import { augment } from "./augmentation.js";

// A picture whose values say where they came from, with a target and a mask that say the same.
const [height, width] = [6, 8];
const places = Float32Array.from({ length: height * width }, (_, i) => i);
const picture = tensor(
  "float32",
  [3, height, width],
  Float32Array.from({ length: 3 * places.length }, (_, i) => i % places.length),
);
const sample: Sample = {
  id: "a",
  inputs: { image1: picture, image2: picture },
  target: tensor("float32", [2, height, width], Float32Array.from([...places, ...places])),
  valid: tensor(
    "bool",
    [height, width],
    Uint8Array.from(places, (v) => v % 2),
  ),
};

it("cuts pictures, targets and masks alike, anywhere and either way round", () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const { inputs, target, valid } = augment(
      sample,
      "restoration",
      { crop: [4, 5], flips: ["horizontal", "vertical"] },
      new Random(seed),
    );
    const values = Array.from(inputs.image1!.data.subarray(0, 20));
    expect(Array.from(inputs.image2!.data.subarray(20, 40))).toEqual(values);
    expect(Array.from(target!.data.subarray(0, 20) as Float32Array)).toEqual(values);
    expect(Array.from(valid!.data)).toEqual(values.map((v) => v % 2));
    const across = values[1]! - values[0]!;
    const down = values[5]! - values[0]!;
    expect([Math.abs(across), Math.abs(down)]).toEqual([1, width]);
    expect(new Set(values).size).toBe(20);
    seen.add(`${Math.min(...values)} ${across} ${down}`);
  }
  // 3 x 4 places, 4 orientations.
  expect(seen.size).toBe(48);
});

it("turns flow with the picture", () => {
  for (let seed = 0; seed < 20; seed++) {
    const { inputs, target } = augment(sample, "flow", { flips: ["horizontal", "vertical"] }, new Random(seed));
    const values = Array.from(inputs.image1!.data.subarray(0, places.length));
    const signs = [Math.sign(values[1]! - values[0]!), Math.sign(values[width]! - values[0]!)];
    const flow = Array.from(target!.data as Float32Array, (v) => v + 0);
    expect(flow).toEqual([...values.map((v) => v * signs[0]! + 0), ...values.map((v) => v * signs[1]! + 0)]);
  }
});

it("has the eight positions of a square with all three flips, and turns flow with them", () => {
  const flips = ["horizontal", "vertical", "diagonal"] as const;
  const positions = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const { inputs, target, valid } = augment(sample, "flow", { crop: [5, 4], flips }, new Random(seed));
    expect([inputs.image1!.shape, target!.shape, valid!.shape]).toEqual([
      [3, 5, 4],
      [2, 5, 4],
      [5, 4],
    ]);
    const values = Array.from(inputs.image1!.data.subarray(0, 20));
    const [right, down] = [values[1]! - values[0]!, values[4]! - values[0]!];
    positions.add(`${right} ${down}`);
    // The flow of the picture is (i, i) at place i. Seen from the result, its u is what pointed along the result's rows.
    expect(Array.from(target!.data as Float32Array, (v) => v + 0)).toEqual([
      ...values.map((v) => v * Math.sign(right) + 0),
      ...values.map((v) => v * Math.sign(down) + 0),
    ]);
    expect(Array.from(valid!.data)).toEqual(values.map((v) => v % 2));
  }
  expect(positions.size).toBe(8);
});

it("swaps the components of flow in a transposed picture", () => {
  const flow = tensor("float32", [2, 2, 2], [1, 2, 3, 4, 10, 20, 30, 40]);
  const image = tensor("float32", [1, 2, 2], [0, 1, 2, 3]);
  const square: Sample = { id: "b", inputs: { image1: image, image2: image }, target: flow };
  const seen = Array.from({ length: 20 }, (_, seed) => augment(square, "flow", { flips: ["diagonal"] }, new Random(seed)));
  const transposed = seen.find(({ inputs }) => inputs.image1!.data[1] === 2)!;
  expect(Array.from(transposed.target!.data as Float32Array)).toEqual([10, 30, 20, 40, 1, 3, 2, 4]);
});

it("keeps class labels and refuses what makes no sense", () => {
  const label = { ...sample, target: tensor("int64", [], [3]) };
  expect(augment(label, "classification", { crop: [2, 2] }, new Random(0)).target!.data[0]).toBe(3n);
  expect(() => augment(sample, "disparity", { flips: ["horizontal"] }, new Random(0))).toThrow(/mirrored vertically alone/);
  expect(() => augment(sample, "disparity", { flips: ["vertical", "diagonal"] }, new Random(0))).toThrow(/vertically alone/);
  expect(() => augment(sample, "restoration", { crop: [7, 5] }, new Random(0))).toThrow(/too small to crop 7x5/);
  const [height, width] = Object.values(sample.inputs)[0]!.shape.slice(-2);
  expect(height).not.toBe(width);
  for (let seed = 0; seed < 8; seed++)
    expect(() => augment(sample, "restoration", { flips: ["diagonal"] }, new Random(seed))).toThrow(/for squares, so set a crop/);
});
