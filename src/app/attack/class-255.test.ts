import { mkdirSync, readFileSync } from "node:fs";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { add, conv } from "../../engine/operators/index.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { faultline, scratch, writeScenes } from "../cli/testing/scene.js";
import type { AttackRecord } from "./run-attack.js";

// A segmenter of 300 classes, of which dark pixels get 255 and bright ones 7.
const classes = 300;
const folder = scratch();
const model = folder.path("model.onnx");
beforeAll(async () => {
  const graph = new Graph();
  const weight = tensor("float32", [classes, 3, 1, 1]);
  const bias = tensor("float32", [1, classes, 1, 1], new Float32Array(classes).fill(-10));
  for (let c = 0; c < 3; c++) weight.data[7 * 3 + c] = 2;
  bias.data[7] = -3;
  bias.data[255] = 0;
  graph.output("y", add(conv(graph.input("x", "float32", [1, 3, 6, 8]), graph.constant(weight)), graph.constant(bias)));
  await saveModel(graph.build(), model);
  for (const [name, level] of [
    ["dark", 120],
    ["bright", 140],
  ] as const) {
    mkdirSync(folder.path(name));
    await sharp(new Uint8Array(3 * 6 * 8).fill(level), { raw: { width: 8, height: 6, channels: 3 } })
      .png()
      .toFile(folder.path(name, "a.png"));
  }
});
afterAll(() => folder.remove());

async function attack(out: string, data: string, ...more: string[]): Promise<AttackRecord> {
  const { code, err } = await faultline(
    ...["attack", model, "--task", "segmentation", "--data", folder.path(data), "--out", folder.path(out), "--attack", "pgd"],
    ...["--epsilon", "0.1", "--step-size", "0.03", "--steps", "10", "--allow-audit", ...more],
  );
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  return JSON.parse(readFileSync(folder.path(out, "records.jsonl"), "utf8").split("\n")[0]!) as AttackRecord;
}

it("attacks pixels that the model itself calls class 255, where no label says otherwise", async () => {
  const { loss, scores } = await attack("own", "dark");
  expect(loss!.clean).toBeGreaterThan(0.1);
  expect(loss!.adversarial).toBeGreaterThan(loss!.clean);
  expect(scores!.adversarial.prediction.value).toBe(0);
});

it("drives towards class 255", async () => {
  const { loss, scores } = await attack("wanted", "bright", "--target", "255");
  expect(loss!.clean).toBeGreaterThan(0.1);
  expect(loss!.adversarial).toBeLessThan(loss!.clean);
  expect(scores!.adversarial.target!.value).toBe(1);
});

it("takes a label that an offset brings to 255 for the class that it is", async () => {
  await writeScenes(folder.path("shifted"), 1, () => 254, { height: 6, width: 8 });
  const { loss } = await attack("by-offset", "shifted", "--label-offset", "1");
  expect(loss!.clean).toBeGreaterThan(0.1);
});

it("still counts nothing where a data set's own 255 means that nothing is known", async () => {
  await writeScenes(folder.path("unknown"), 1, () => 255, { height: 6, width: 8 });
  const { code, err } = await faultline(
    ...["attack", model, "--task", "segmentation", "--data", folder.path("unknown"), "--out", folder.path("none")],
  );
  expect([code, err]).toEqual([1, expect.stringMatching(/no label that counts: all are among the ignored ones \(255, -1\)/)]);
});
