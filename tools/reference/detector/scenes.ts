/** Synthetic scenes for training fixtures/models/detector.onnx: `npx tsx tools/reference/detector/scenes.ts 6000 train FOLDER` writes train.bin, train.json. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { syntheticDataset } from "../../../src/vision/data/synthetic/dataset.js";

const [length, seed, folder] = [Number(process.argv[2]), process.argv[3]!, process.argv[4]!];
const size = 96;

async function write(): Promise<void> {
  const dataset = syntheticDataset({ task: "detection", size, length, seed });
  const pixels = new Uint8Array(length * 3 * size * size);
  const boxes: number[][][] = [];
  for (let i = 0; i < length; i++) {
    const { inputs, target } = await dataset.sample(i);
    const image = inputs.image!.data;
    image.forEach((v, k) => {
      pixels[i * image.length + k] = Math.round(v * 255);
    });
    const rows = target!.data as Float32Array;
    boxes.push(Array.from({ length: target!.shape[0]! }, (_, m) => Array.from(rows.subarray(6 * m, 6 * m + 6))));
  }
  writeFileSync(join(folder, `${seed}.bin`), pixels);
  writeFileSync(join(folder, `${seed}.json`), JSON.stringify(boxes));
}

await write();
