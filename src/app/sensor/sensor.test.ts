import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseModel } from "../../engine/onnx/read.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { readImage, writeImage } from "../../vision/data/node/index.js";
import { streetDataset } from "../../vision/data/synthetic/street.js";
import { parseModelSpec } from "../../vision/spec/model-spec.js";
import type { TrainRecord } from "../train/run-train.js";
import { parseSensorConfig } from "./config.js";
import { apart } from "./figures.js";
import { runSensor, type SensorPlan, stepsDone } from "./run-sensor.js";
import { simulateSensor } from "./simulate.js";
import { smallSensor } from "./testing/small-sensor.js";

test("names at the ends of curves stand apart, where their values do not", () => {
  const named = (...values: number[]) => values.map((value, i) => ({ name: `curve ${i}`, value }));
  expect(apart(named(0.2, 0.9), [0, 1]).map((e) => [e.name, e.dy])).toEqual([
    ["curve 1", 0],
    ["curve 0", 0],
  ]);
  expect(apart(named(0.04, 0.04, 0.04), [0.04, 0.04]).map((e) => e.dy)).toEqual([0, 15, 30]);
});

let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  folder = mkdtempSync(join(tmpdir(), "faultline-sensor-"));
});
afterAll(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

const planOf = (config: object): SensorPlan => ({
  command: "sensor train",
  version: "test",
  config: parseSensorConfig(config, "config.json"),
  runtime: { provider: "cpu", runtime: "", threads: 1, optimization: "all" },
});

/** Runs in a directory of that name; stops after so many steps of both trainings together. */
async function run(name: string, config: object, stopAfter = Number.POSITIVE_INFINITY) {
  const stop = new AbortController();
  const path = join(folder, name);
  const end = await runSensor(engine, planOf(config), path, {
    signal: stop.signal,
    onProgress: (step) => step >= stopAfter && stop.abort(),
  });
  return { end, path };
}

const recordsOf = (path: string, kind: string): TrainRecord[] =>
  readFileSync(join(path, kind, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as TrainRecord);

describe("a sensor run", () => {
  test("learns one layout, keeps the other uniform, and has the bytes of an unbroken run when it was interrupted in both", async () => {
    const whole = await run("whole", smallSensor);
    expect(whole.end).not.toBe("stopped");
    const theta = recordsOf(whole.path, "learned").map((r) => r.observed!.theta!);
    expect(theta.at(-1)!.every((v) => v !== 0)).toBe(true);
    for (const record of recordsOf(whole.path, "uniform")) expect(record.observed!.theta).toEqual([0, 0]);

    expect((await run("broken", smallSensor, 2)).end).toBe("stopped");
    expect((await run("broken", smallSensor, 8)).end).toBe("stopped");
    const broken = await run("broken", smallSensor);
    expect(stepsDone(broken.path)).toBe(10);
    const files = ["grid.svg", "course.webp", "score.svg", "theta.svg", "report.html"];
    const each = ["pipeline.onnx", "pipeline.safetensors", "pipeline.spec.json", "records.jsonl", "summary.json"];
    for (const file of [...files, ...["learned", "uniform"].flatMap((kind) => each.map((name) => `${kind}/${name}`))])
      expect(readFileSync(join(broken.path, file)).equals(readFileSync(join(whole.path, file))), file).toBe(true);
    // The network's card is for networks that a configuration names.
    expect(readdirSync(join(whole.path, "learned"))).not.toContain("card.md");
  });

  test("leaves a pipeline that takes the scene, an animated picture of the course, and a report that names the scores", async () => {
    const path = join(folder, "whole");
    const pipeline = parseModel(readFileSync(join(path, "learned/pipeline.onnx")));
    expect(pipeline.graph.inputs.map(({ shape }) => shape)).toEqual([[1, 3, 32, 64]]);
    const spec = parseModelSpec(JSON.parse(readFileSync(join(path, "learned/pipeline.spec.json"), "utf8")));
    expect(spec.size).toEqual({ rule: "fixed", height: 32, width: 64 });
    const { pages } = await sharp(join(path, "course.webp"), { animated: true }).metadata();
    // One more: how it began.
    expect(pages).toBe(recordsOf(path, "learned").length + 1);
    const report = readFileSync(join(path, "report.html"), "utf8");
    const score = recordsOf(path, "learned").at(-1)!.evaluation!.mIoU!;
    expect(report).toContain(`mIoU ${score.toFixed(4)} learned`);
    expect(readFileSync(join(path, "grid.svg"), "utf8")).toContain("data:image/png;base64,");
  });

  test("of other settings in the same directory is refused", async () => {
    await expect(run("whole", { ...smallSensor, batch: 3 })).rejects.toThrow("holds a run with other settings");
  });

  test("takes an imported model, whose layout learns alone", async () => {
    const network = { onnx: new URL("../../../fixtures/models/segmenter.onnx", import.meta.url).pathname };
    const sensor = { ...smallSensor.sensor, height: 96, width: 96, layout: "rectangular", integration: { kind: "exact" } };
    const { end, path } = await run("imported", { ...smallSensor, network, sensor, steps: 2 });
    expect(end).not.toBe("stopped");
    expect(
      recordsOf(path, "learned")
        .at(-1)!
        .observed!.theta!.every((v) => v !== 0),
    ).toBe(true);
    expect(existsSync(join(path, "learned/pipeline.onnx"))).toBe(true);
  });
});

test.each<[object, string]>([
  [{ ...smallSensor, evaluation: undefined }, "evaluation is missing"],
  [{ ...smallSensor, task: "flow" }, "a sensor sees one image"],
  [{ ...smallSensor, sensor: { ...smallSensor.sensor, layout: "uniform" } }, "sensor.layout is uniform"],
  [{ ...smallSensor, sensor: { ...smallSensor.sensor, layout: "hexagonal" } }, "sensor.layout"],
  [{ ...smallSensor, sensor: { ...smallSensor.sensor, hight: 4 } }, 'there is no field "hight" (did you mean "height"?)'],
])("%#: a configuration that cannot be is refused in a sentence", (config, sentence) => {
  expect(() => parseSensorConfig(config, "config.json")).toThrow(sentence);
});

test.each<[object, string]>([
  [{ frozen: ["s", "t"] }, "all parameters are frozen"],
  [{ integration: { kind: "exact" } }, "those of the layout curvilinear are curved"],
  [{ theta: [0.1] }, "has 2 parameters (s, t), but theta has 1"],
])("%j: a sensor that cannot be is refused in a sentence", async (options, sentence) => {
  await expect(
    run(`wrong-${Object.keys(options)[0]}`, { ...smallSensor, sensor: { ...smallSensor.sensor, ...options } }),
  ).rejects.toThrow(sentence);
});

test("simulating: what a sensor sees and its reconstruction, exactly and by samples", async () => {
  const scene = (await streetDataset({ height: 60, width: 90, length: 1, seed: 4 }).sample(0)).inputs.image!;
  const picture = join(folder, "scene.png");
  await writeImage(picture, scene);
  const size = [12, 18] as const;
  const layouts = ["rectangular"] as const;
  const exact = await simulateSensor(engine, picture, join(folder, "exact"), {
    layouts,
    theta: [0.3, -0.2],
    size,
    integration: { kind: "exact" },
  });
  const sampled = await simulateSensor(engine, picture, join(folder, "sampled"), {
    layouts,
    theta: [0.3, -0.2],
    size,
    integration: { kind: "samples", count: 64, seed: 0 },
  });
  expect((await readImage(join(folder, "exact/reading.png"))).shape).toEqual([3, 12, 18]);
  expect((await readImage(join(folder, "exact/reconstruction.png"))).shape).toEqual([3, 60, 90]);
  expect(Math.abs(exact.psnr - sampled.psnr)).toBeLessThan(0.3);
  expect(exact.psnr).toBeGreaterThan(15);
  // k_s⁻¹(0.5) = 0.65 for s = 0.3 and 0.4 for -0.2.
  expect(exact.middle.columns).toBeCloseTo(0.65, 5);
  expect(exact.middle.rows).toBeCloseTo(0.4, 5);
});
