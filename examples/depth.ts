/**
 * Monocular depth from nothing but this checkout: `npx tsx examples/depth.ts` (two minutes or so). It trains a small network on synthetic scenes, writes a
 * few scenes of its own as a plain folder, and then types these commands:
 *
 *     faultline doctor runs/depth/net/model.onnx --task depth --data runs/depth/scenes
 *     faultline attack runs/depth/net/model.onnx --task depth --data runs/depth/scenes --attack cospgd --epsilon 2/255 --steps 20 --out runs/depth/attack
 *     faultline criticality runs/depth/net/model.onnx --task depth --data runs/depth/scenes --trials 1 --out runs/depth/criticality
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { main } from "../src/app/cli/main.js";
import type { Tensor } from "../src/engine/tensor/tensor.js";
import { writeImage } from "../src/vision/data/node/image-file.js";
import { syntheticDataset } from "../src/vision/data/synthetic/dataset.js";
import { writeDepthPng } from "../src/vision/tasks/depth/files.js";

const [network, scenes] = ["runs/depth/net", "runs/depth/scenes"];
rmSync("runs/depth", { recursive: true, force: true });
for (const name of ["images", "labels"]) mkdirSync(`${scenes}/${name}`, { recursive: true });
const dataset = syntheticDataset({ task: "depth", size: 64, length: 6, seed: 3 });
for (let i = 0; i < dataset.length; i++) {
  const { inputs, target, valid } = await dataset.sample(i);
  await writeImage(`${scenes}/images/${i}.png`, inputs.image!);
  writeFileSync(
    `${scenes}/labels/${i}.png`,
    writeDepthPng({ target: target as Tensor<"float32">, valid: valid! }, "millimeters"),
  );
}

const model = `${network}/model.onnx`;
const data = ["--task", "depth", "--data", scenes];
for (const command of [
  ["train", "examples/depth.train.json", "--out", network],
  ["doctor", model, ...data],
  ["attack", model, ...data, "--attack", "cospgd", "--epsilon", "2/255", "--steps", "20", "--out", "runs/depth/attack"],
  ["criticality", model, ...data, "--trials", "1", "--out", "runs/depth/criticality"],
]) {
  process.stdout.write(`\nfaultline ${command.join(" ")}\n`);
  const code = await main(command);
  // The doctor ends with 1 where something looks wrong: a network that has seen two hundred scenes is off in scale.
  if (code !== 0 && command[0] !== "doctor") process.exit(code);
}
process.exitCode = 0;
process.stdout.write("\nLook at runs/depth/attack/report.html and runs/depth/criticality/report.html.\n");
