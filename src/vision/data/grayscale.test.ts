import { expect, it } from "vitest";
import { grayscale } from "./grayscale.js";
import { syntheticDataset } from "./synthetic/dataset.js";

it("makes images and restored images gray, and leaves labels", async () => {
  const color = syntheticDataset({ task: "restoration", size: 16, length: 2, seed: 1 });
  const { inputs, target } = await grayscale(color).sample(1);
  const before = await color.sample(1);
  expect([inputs.image!.shape, target!.shape]).toEqual([
    [1, 16, 16],
    [1, 16, 16],
  ]);
  const [r, g, b] = [0, 256, 512].map((at) => before.inputs.image!.data[at + 37]!);
  expect(inputs.image!.data[37]).toBeCloseTo(0.299 * r! + 0.587 * g! + 0.114 * b!, 6);
  const labeled = grayscale(syntheticDataset({ task: "segmentation", size: 16, length: 2, seed: 1 }));
  const sample = await labeled.sample(0);
  expect([sample.inputs.image!.shape, sample.target!.shape]).toEqual([
    [1, 16, 16],
    [16, 16],
  ]);
  expect(labeled.describe()).toMatch(/In shades of gray\.$/);
});
