import { copyFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needsOf } from "../cells/cell.js";
import { network, scratch, writeScenes } from "../cli/testing/scene.js";
import { noPlugins } from "../plugins/plugins.js";
import { cellsOf } from "./cells.js";
import { readSweepPlan } from "./plan-file.js";

// What of a run's threat a plan says: where it may change, what it learns from, whom its images are shown to.

const folder = scratch();
afterAll(folder.remove);
beforeAll(async () => {
  for (const name of ["net.onnx", "other.onnx"]) copyFileSync(network("segmentation"), folder.path(name));
  writeFileSync(folder.path("other.spec.json"), '{ "task": "segmentation", "range": "0..1", "output": { "meaning": "logits" } }');
  await writeScenes(folder.path("scenes"), 4);
  await sharp({ create: { width: 14, height: 12, channels: 3, background: "white" } })
    .png()
    .toFile(folder.path("mask.png"));
});

const planned = (more: string) => {
  writeFileSync(
    folder.path("plan.yaml"),
    `models: [{ path: net.onnx, spec: { range: 0..1, channels: rgb, output: { meaning: logits }, task: segmentation } }]
data: scenes
audit: false
${more}`,
  );
  return cellsOf(readSweepPlan(folder.path("plan.yaml")), (named) => resolve(folder.path(), named), noPlugins);
};

it("plans region, fit-on and transfer-to for its cells, by files beside the plan", async () => {
  const { cells, problems } = await planned(
    "attacks: [fgsm, universal]\nregion: mask.png\nfit-on: 0.25\ntransfer-to: other.onnx\n",
  );
  expect(problems).toEqual([]);
  expect(cells.map(({ plan }) => [plan.threat.region, plan.fitOn, plan.save])).toEqual([
    ["mask.png", undefined, "float"],
    ["mask.png", { kind: "share", share: 0.25 }, "float"],
  ]);
  for (const cell of cells)
    expect(needsOf(cell).map(({ named }) => named)).toEqual(["net.onnx", "scenes", "other.onnx", "mask.png"]);
  const plain = await planned("attacks: [fgsm, universal]\n");
  expect(plain.cells.map((c) => c.key)).not.toEqual(cells.map((c) => c.key));
});

it("says what is not there, or does not fit, before anything runs", async () => {
  expect((await planned("attacks: [fgsm]\ntransfer-to: nothing.onnx\n")).problems).toEqual([
    expect.stringContaining("nothing.onnx: no such file"),
  ]);
  expect((await planned("attacks: [fgsm]\nperturb: image2\n")).problems).toEqual([
    expect.stringContaining('there is no image "image2" to perturb; segmentation has image'),
  ]);
});
