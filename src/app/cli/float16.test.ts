import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { specialize } from "../../engine/compile/specialize.js";
import { readModel } from "../../engine/onnx/read-file.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { retyped } from "../../engine/testing/retyped.js";
import { runModel } from "../../engine/testing/run-model.js";
import type { AttackSummary } from "../attack/summary.js";
import { faultline, network, scratch, writeScenes } from "./testing/scene.js";

const folder = scratch();

/** The small segmentation network, and the same with float16 from its input to its output. */
beforeAll(async () => {
  await writeScenes(folder.path("data"), 4);
  const graph = await specialize(await readModel(network("segmentation")), {}, (constants) => runModel(constants, {}));
  await saveModel(graph.build(), folder.path("float32.onnx"));
  await saveModel(retyped(graph, "float16").graph.build(), folder.path("float16.onnx"));
});
afterAll(() => folder.remove());

it("attacks a float16 model as it does its float32 twin", async () => {
  const losses: AttackSummary["loss"][] = [];
  for (const type of ["float32", "float16"]) {
    const model = folder.path(`${type}.onnx`);
    const common = ["--task", "segmentation", "--data", folder.path("data")];
    const out = folder.path(type);
    const { code } = await faultline("attack", model, ...common, "--out", out, "--steps", "5", "--attack", "pgd");
    expect(code).toBe(0);
    losses.push((JSON.parse(readFileSync(`${out}/summary.json`, "utf8")) as AttackSummary).loss);
  }
  const [single, half] = losses as [AttackSummary["loss"], AttackSummary["loss"]];
  expect(Math.abs(half.clean! / single.clean! - 1)).toBeLessThan(0.01);
  expect(half.adversarial).toBeGreaterThan(1.02 * half.clean!);
  expect(Math.abs(half.adversarial! / single.adversarial! - 1)).toBeLessThan(0.05);
});

it("inspects it, writes its gradient and finds it fit", async () => {
  const model = folder.path("float16.onnx");
  expect((await faultline("inspect", model)).code).toBe(0);
  expect((await faultline("grad", model, "-o", folder.path("grad.onnx"))).code).toBe(0);
  const checked = await faultline("doctor", model, "--task", "segmentation", "--data", folder.path("data"));
  expect(checked.out + checked.err).not.toMatch(/float16/);
});
