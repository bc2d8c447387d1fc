import { expect, it } from "vitest";
import { tensor } from "../../engine/tensor/tensor.js";
import type { TrainingBatch } from "./batch.js";
import { checkBatch } from "./check-batch.js";
import { trainingLoss } from "./losses.js";

const segmentation = {
  inputs: { image: [1, 3, 2, 2] },
  prediction: [1, 4, 2, 2],
  loss: trainingLoss("segmentation", "cross-entropy", [255, -1]),
};
const restoration = { inputs: { image: [1, 3, 2, 2] }, prediction: [1, 3, 2, 2], loss: trainingLoss("restoration") };
const image = tensor("float32", [1, 3, 2, 2]);
const labeled = (...labels: number[]): TrainingBatch => ({
  images: { image },
  target: tensor("int64", [1, 2, 2], labels.map(BigInt)),
});

it("takes labels of the classes and ignored ones, and no others", () => {
  expect(() => checkBatch(labeled(0, 3, 255, -1), segmentation)).not.toThrow();
  expect(() => checkBatch(labeled(0, 1, 2, 4), segmentation)).toThrow(
    /label 4, but the network's classes are 0 to 3, and ignored are 255, -1/,
  );
  expect(() => checkBatch(labeled(0, -2, 2, 3), segmentation)).toThrow(/label -2/);
  expect(() => checkBatch(labeled(0, 2 ** 32, 2, 3), segmentation)).toThrow(/label 4294967296/);
});

it("says what the network takes and predicts where the batch has something else", () => {
  const target = tensor("float32", [1, 3, 2, 2]);
  expect(() => checkBatch({ images: { image }, target }, restoration)).not.toThrow();
  expect(() => checkBatch({ images: {}, target }, restoration)).toThrow(
    /takes "image" as \[1, 3, 2, 2\], but the batch has none/,
  );
  expect(() => checkBatch({ images: { image: tensor("float32", [1, 1, 2, 2]) }, target }, restoration)).toThrow(
    /the batch has \[1, 1, 2, 2\]/,
  );
  expect(() => checkBatch({ images: { image }, target }, { ...restoration, prediction: [1, 2, 2, 2] })).toThrow(
    /predicts \[1, 2, 2, 2\], whose target is float32\[1, 2, 2, 2\], but the batch has float32\[1, 3, 2, 2\]/,
  );
});
