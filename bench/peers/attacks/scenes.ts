/** Writes synthetic scenes with their labels, that the segmenter was not trained on: `npx tsx bench/peers/attacks/scenes.ts OUT.safetensors`. */
import { writeFileSync } from "node:fs";
import { writeSafetensors } from "../../../src/engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../../src/engine/tensor/tensor.js";
import { syntheticDataset } from "../../../src/vision/data/index.js";
import config from "./config.json" with { type: "json" };

const { scenes: length } = config;
const size = 96;
const dataset = syntheticDataset({ task: "segmentation", size, length, seed: 2 });
const image = tensor("float32", [length, 3, size, size]);
const label = tensor("int64", [length, size, size]);
for (let i = 0; i < length; i++) {
  const { inputs, target } = await dataset.sample(i);
  image.data.set(inputs.image!.data, i * 3 * size * size);
  label.data.set(BigInt64Array.from(target!.data as Int32Array, BigInt), i * size * size);
}
writeFileSync(
  process.argv[2]!,
  writeSafetensors(
    new Map<string, Tensor>([
      ["image", image],
      ["label", label],
    ] as const),
  ),
);
