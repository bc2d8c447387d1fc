import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../../../engine/graph/graph.js";
import { saveModel } from "../../../engine/onnx/write-file.js";
import { conv, mul } from "../../../engine/operators/index.js";
import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { syntheticDataset } from "../../../vision/data/index.js";
import { writeImage } from "../../../vision/data/node/image-file.js";
import { faultline, scratch } from "../../cli/testing/scene.js";
import type { Check } from "./check.js";

const size = 96;
const segmenter = fileURLToPath(new URL("../../../../fixtures/models/segmenter.onnx", import.meta.url));
const folder = scratch();
const saturated = folder.path("saturated.onnx");

beforeAll(async () => {
  const scenes = syntheticDataset({ task: "segmentation", size, length: 2, seed: 2 });
  for (const part of ["images", "labels"]) mkdirSync(folder.path("scenes", part), { recursive: true });
  for (let i = 0; i < scenes.length; i++) {
    const { inputs, target } = await scenes.sample(i);
    await writeImage(folder.path("scenes/images", `${i}.png`), inputs.image!);
    await sharp(Uint8Array.from(target!.data as Int32Array), { raw: { width: size, height: size, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toFile(folder.path("scenes/labels", `${i}.png`));
  }
  // Logits so far apart that float32's softmax has the gradient 0: masked gradients, and nothing else wrong.
  const graph = new Graph();
  const random = new Random(1, "saturated");
  const weight = tensor(
    "float32",
    [9, 3, 3, 3],
    Array.from({ length: 243 }, () => random.uniform(-1, 1)),
  );
  const x = graph.input("x", "float32", [1, 3, size, size]);
  graph.output("y", mul(conv(x, graph.constant(weight), { pads: [1, 1, 1, 1] }), 1e6));
  await saveModel(graph.build(), saturated);
});
afterAll(() => folder.remove());

async function judged(name: string, model: string, ...flags: readonly string[]): Promise<Check> {
  const run = folder.path(name);
  const data = ["--task", "segmentation", "--data", folder.path("scenes"), "--threads", "1", "--allow-audit", "--out", run];
  const { code, err } = await faultline("attack", model, ...data, ...flags);
  expect(code, err).toBe(0);
  const checks = JSON.parse(readFileSync(`${run}/audit.json`, "utf8")) as Check[];
  return checks.find((c) => c.name === "A huge radius goes further")!;
}

describe("the huge radius", () => {
  // Each of them failed when the search in the huge ball had no more steps than the run.
  it.each([
    ["fgsm", []],
    ["pgd", ["--steps", "2"]],
    ["cospgd", ["--steps", "5"]],
    ["apgd", ["--steps", "3"]],
  ])("breaks a sound model after %s %j", async (attack, steps) => {
    const check = await judged(attack, segmenter, "--attack", attack, ...steps);
    expect(check.verdict, check.sentence).toBe("passed");
  });

  it("does not break a model whose gradients are masked", async () => {
    const check = await judged("masked", saturated, "--attack", "bim", "--steps", "3", "--reference", "prediction");
    expect(check.verdict, check.sentence).toBe("failed");
    expect(check.sentence).toContain("at most 80 steps");
  });
});
