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
  // No more classes than the model has: the backdrop and four shapes of eight.
  const { dataset: five, name: ofFive } = await openData("synthetic:48", { task: "segmentation", classes: 5 });
  expect(ofFive).toBe("synthetic:48x48,length=16,seed=1,classes=5");
  expect(five.classNames).toEqual(["background", "disc", "square", "triangle", "hexagon"]);
  const labels = new Set<number>();
  for (let i = 0; i < 8; i++) for (const v of (await five.sample(i)).target!.data as Int32Array) labels.add(v);
  expect([...labels].sort()).toEqual([0, 1, 2, 3, 4]);
  expect((await openData(ofFive, { task: "segmentation" })).name).toBe(ofFive);
  const { dataset: three } = await openData("synthetic:48", { task: "classification", classes: 3 });
  expect(await Promise.all([0, 1, 2, 3].map(async (i) => Number((await three.sample(i)).target!.data[0])))).toEqual([0, 1, 2, 0]);
  expect((await openData("synthetic:48", { task: "segmentation", classes: 21 })).name).toBe("synthetic:48x48,length=16,seed=1");
  await expect(openData("synthetic:48,classes=1", { task: "segmentation" })).rejects.toThrow("1 classes leave no shape");
  await expect(openData("synthetic:48,classes=3", { task: "flow" })).rejects.toThrow("flow has no classes");
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
