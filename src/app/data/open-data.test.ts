import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { scratch } from "../cli/testing/scene.js";
import { fingerprintOf } from "./fingerprint.js";
import { openData } from "./open-data.js";

const folder = scratch();
afterAll(() => folder.remove());

it("makes scenes for a model, and names them so that they can be made again", async () => {
  const { dataset, name } = await openData("synthetic", { task: "segmentation" }, { rule: "fixed", height: 48, width: 64 });
  expect(name).toBe("synthetic:48x64,length=16,seed=1");
  expect((await dataset.sample(0)).inputs.image!.shape).toEqual([3, 48, 64]);
  const again = await openData(name, { task: "segmentation" });
  expect(again.name).toBe(name);
  expect(await fingerprintOf(again.dataset)).toBe(await fingerprintOf(dataset));
  const other = await openData("synthetic:48x64,length=16,seed=2", { task: "segmentation" });
  expect(await fingerprintOf(other.dataset)).not.toBe(await fingerprintOf(dataset));
  await expect(openData("synthetic:big", { task: "segmentation" })).rejects.toThrow("write synthetic:96x128,length=50,seed=2");
});

it("makes the scenes that a training describes", async () => {
  mkdirSync(folder.path(), { recursive: true });
  const scenes = (seed: number) => ({ kind: "synthetic", size: 32, length: 3, seed });
  const config = {
    task: "restoration",
    network: "nafnet-gopro-w32",
    data: scenes(1),
    batch: 1,
    steps: 1,
    optimizer: { name: "adamw", learningRate: 0.001 },
  };
  const path = folder.path("train.json");
  writeFileSync(path, JSON.stringify({ ...config, evaluation: { data: scenes(2) } }));
  const { dataset } = await openData(path, { task: "restoration" });
  const { dataset: same } = await openData("synthetic:32,length=3,seed=2", { task: "restoration" });
  expect(await fingerprintOf(dataset)).toBe(await fingerprintOf(same));
  await expect(openData(path, { task: "flow" })).rejects.toThrow("trains for restoration");
});
