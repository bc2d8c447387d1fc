import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { concat, conv, mul, reduceMean, reshape, sigmoid, tanh } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { readImage, writeImage } from "../../vision/data/node/image-file.js";
import { type TaskName, taskNames, tasks } from "../../vision/tasks/index.js";
import type { Check } from "../attack/audit.js";
import { recordSchema, summarySchema } from "../attack/schemas.js";
import { main } from "../cli/main.js";
import { chooseSamples } from "./specimens.js";

const [height, width] = [24, 32];
let folder: string;
let output = "";

function noise(shape: readonly number[], seed: string, scale: number): Tensor<"float32"> {
  const random = new Random(1, seed);
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * random.uniform(-1, 1)),
  );
}

/** A small network with a curve in it, from one or two images to as many channels as the task has. */
async function saveNetwork(path: string, task: TaskName): Promise<void> {
  const graph = new Graph();
  const shape = [1, 3, height, width];
  const { roles, channels = 5, extent } = tasks[task];
  const pair = roles.length > 1;
  const inputs = (pair ? ["first", "second"] : ["image"]).map((name) => graph.input(name, "float32", shape));
  const x = pair ? concat(inputs, 1) : inputs[0]!;
  const layer = (v: Value, out: number, name: string) =>
    conv(v, graph.constant(noise([out, v.shape[1]!, 3, 3], name, 1.5)), { pads: [1, 1, 1, 1] });
  const y = layer(tanh(layer(x, 8, "a")), channels, "b");
  // A detector: a box of 8x8 pixels about each pixel, and its classes.
  const area = height * width;
  const boxes = Float32Array.from({ length: 4 * area }, (_, i) =>
    i < area ? (i % width) + 0.5 : i < 2 * area ? Math.floor((i - area) / width) + 0.5 : 8,
  );
  const detector = () =>
    concat([graph.constant(tensor("float32", [1, 4, area], boxes)), sigmoid(reshape(y, [1, channels, area]))], 1);
  if (extent === "objects") graph.output("y", detector());
  else graph.output("y", extent === "image" ? mul(reduceMean(y, [2, 3], "drop"), 8) : y);
  await saveModel(graph.build(), path);
}

async function saveImages(path: string, task: TaskName, samples = ["one", "two", "three"]): Promise<void> {
  const { roles } = tasks[task];
  const parts = roles.length > 1 ? roles : ["."];
  for (const part of parts) {
    mkdirSync(join(path, part), { recursive: true });
    for (const name of samples) {
      const image = noise([3, height, width], `${part}/${name}`, 0.5);
      await writeImage(join(path, part, `${name}.png`), { ...image, data: image.data.map((v) => v + 0.5) });
    }
  }
}

const attack = (task: TaskName, out: string, ...more: string[]) =>
  main([
    "attack",
    join(folder, `${task}.onnx`),
    "--task",
    task,
    "--data",
    join(folder, task),
    "--steps",
    "5",
    "--threads",
    "1",
    "--out",
    join(folder, out),
    ...more,
  ]);
const text = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");
const checks = (run: string) => JSON.parse(text(run, "audit.json")) as Check[];
const verdict = (run: string, name: string) => checks(run).find((c) => c.name === name)?.verdict;

beforeAll(async () => {
  process.env.SOURCE_DATE_EPOCH = "1700000000";
  folder = mkdtempSync(join(tmpdir(), "faultline-report-"));
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    output += String(chunk);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  for (const task of taskNames) {
    await saveNetwork(join(folder, `${task}.onnx`), task);
    await saveImages(join(folder, task), task);
  }
});
afterAll(() => {
  vi.restoreAllMocks();
  delete process.env.SOURCE_DATE_EPOCH;
  process.exitCode = 0;
  rmSync(folder, { recursive: true, force: true });
});

describe.each(taskNames)("report of %s", (task) => {
  it("shows the samples, and is one file that names no folder of this machine", async () => {
    expect(await attack(task, `run-${task}`)).toBe(0);
    const page = text(`run-${task}`, "report.html");
    const sources = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1]!);
    expect(sources.length).toBeGreaterThan(tasks[task].extent === "image" ? 6 : 12);
    for (const source of sources) expect(source).toMatch(/^(?:data:image\/(?:png|webp);base64,|#)/);
    expect(existsSync(join(folder, `run-${task}`, "report"))).toBe(false);
    expect(page).not.toContain(folder);
    expect(page).toContain("14 November 2023");
    expect(page).not.toMatch(/<script|<link|url\(|@import /);
    // Pictures as letters may spell anything.
    expect(page.replaceAll(/base64,[^"]+/g, "")).not.toMatch(/undefined|NaN|\[object/);
    for (const name of ["one", "two", "three"]) expect(page).toContain(`<h3>${name}</h3>`);
    const { roles } = tasks[task];
    for (const role of roles.length > 1 ? roles : [])
      for (const name of ["one", "two", "three"]) expect(page).toContain(`alt="Perturbation (${role}) of ${name}"`);
    expect(checks(`run-${task}`).filter((c) => c.verdict === "failed")).toEqual([]);
    expect(() => summarySchema.parse(JSON.parse(text(`run-${task}`, "summary.json")))).not.toThrow();
    for (const line of text(`run-${task}`, "records.jsonl").trim().split("\n"))
      expect(() => recordSchema.parse(JSON.parse(line))).not.toThrow();
  });
});

describe("report", () => {
  it("sets the degraded pictures, as they are, beside the restored ones", async () => {
    for (const [part, level] of [
      ["images", 100],
      ["labels", 151],
    ] as const) {
      mkdirSync(join(folder, "pairs", part), { recursive: true });
      const flat = tensor("float32", [3, height, width], new Float32Array(3 * height * width).fill(level / 255));
      for (const name of ["one", "two"]) await writeImage(join(folder, "pairs", part, `${name}.png`), flat);
    }
    output = "";
    expect(await attack("restoration", "run-pairs", "--data", join(folder, "pairs"), "--allow-audit")).toBe(0);
    // Off by 51/255 everywhere: 10 log10(1 / 0.2²).
    const { untouched } = summarySchema.parse(JSON.parse(text("run-pairs", "summary.json")));
    expect(untouched?.PSNR).toBeCloseTo(13.979, 3);
    for (const line of text("run-pairs", "records.jsonl").trim().split("\n")) recordSchema.parse(JSON.parse(line));
    expect(output).toMatch(/degraded, as they are: PSNR 13\.979\d, SSIM 0\.\d+, .* to the truth/);
    const page = text("run-pairs", "report.html").replaceAll("\u00a0", " ");
    expect(page).toMatch(
      /degraded, as they are: [^<]*<\/th><\/tr>\s*<tr><th scope="row">PSNR<\/th><td>13\.98 dB<\/td><td><\/td>/,
    );
    expect(text("run-restoration", "report.html")).not.toContain("degraded, as they are");
  });

  it("shows the extremes of many samples whole and the others small", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `sample-${i}`);
    await saveImages(join(folder, "many"), "disparity", names);
    expect(await attack("disparity", "run-many", "--data", join(folder, "many"), "--perturb", "right")).toBe(0);
    const page = text("run-many", "report.html");
    const whole = [...page.matchAll(/<h3>(sample-\d+)<\/h3>/g)].map((m) => m[1]!);
    const small = [...page.matchAll(/alt="Adversarial image of (sample-\d+)"/g)].map((m) => m[1]!);
    expect(whole).toHaveLength(5);
    expect([...whole, ...small].sort()).toEqual([...names].sort());
    expect(page).toContain("5 of 12, chosen by the damage done");
    // Only the image that may change is shown, whole or small.
    expect(page).not.toMatch(/src="images\/\d+\.left|\(left\)/);
    // With --assets folder the pictures lie beside the page, in full size.
    expect(await main(["audit", join(folder, "run-many"), "--assets", "folder"])).toBe(0);
    const files = [...text("run-many", "report.html").matchAll(/src="([^"]+)"/g)].map((m) => m[1]!);
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) expect(existsSync(join(folder, "run-many", file)), file).toBe(true);
  });

  it("counts what it does not show", () => {
    const record = (index: number, loss: number) =>
      ({ index, sample: `s${index}`, loss: { clean: 0, steps: [], adversarial: loss, saved: loss }, scores: {} }) as never;
    const records = Array.from({ length: 100 }, (_, i) => record(i, i));
    const { whole, small, unseen } = chooseSamples(records, { damage: () => 1 } as never, "untargeted");
    expect(whole.map(({ rank }) => rank)).toEqual(["hit hardest", "second", "third", "median", "hit least"]);
    expect(whole.map((w) => w.record.index)).toEqual([99, 98, 97, 50, 0]);
    expect(whole.length + small.length + unseen).toBe(100);
    expect(small).toHaveLength(60);
  });

  it("has a command that makes the run again to the bit", async () => {
    expect(
      await attack(
        "segmentation",
        "first",
        "--attack",
        "pgd",
        "--target",
        "2",
        "--epsilon",
        "6/255",
        "--step-size",
        "1/255",
        "--limit",
        "2",
      ),
    ).toBe(0);
    const command = text("first", "again.sh");
    const words = command
      .trim()
      .split("\n")
      .slice(2)
      .join("\n")
      .replaceAll(/"\$here([^"]*)"/g, (_, rest: string) => `${join(folder, "first")}${rest}`)
      .replace(/ \\\n */g, " ")
      .split(" ");
    expect(await main(words.slice(1))).toBe(0);
    for (const file of ["run.json", "records.jsonl", "summary.json", "audit.json", "images/three.png"])
      expect(readFileSync(join(folder, "first-again", file)).equals(readFileSync(join(folder, "first", file))), file).toBe(true);
    expect(text("first-again", "report.html")).toBe(text("first", "report.html"));
    expect(text("first", "report.html")).toContain("class 2");
  });

  it("says of stereo that the published weight is constant, and of the residual one that it is not", async () => {
    expect(verdict("run-disparity", "Pixel weights differ")).toBe("warning");
    expect(await attack("disparity", "residual", "--alignment", "residual")).toBe(0);
    expect(verdict("residual", "Pixel weights differ")).toBe("passed");
  });

  it("is the same after faultline audit, also where the folder was moved", async () => {
    cpSync(join(folder, "run-flow"), join(folder, "moved"), { recursive: true });
    output = "";
    expect(await main(["audit", join(folder, "moved")])).toBe(0);
    expect(output).toContain("Saved images lie in the ball");
    expect(text("moved", "audit.json")).toBe(text("run-flow", "audit.json"));
    expect(text("moved", "report.html")).toBe(text("run-flow", "report.html"));
  });

  it("fails the audit when a picture was exchanged", async () => {
    cpSync(join(folder, "run-restoration"), join(folder, "exchanged"), { recursive: true });
    const file = join(folder, "exchanged", "images", "one.png");
    const image = await readImage(file);
    await writeImage(file, { ...image, data: image.data.map((v) => 1 - v) });
    expect(await main(["audit", join(folder, "exchanged")])).toBe(1);
    expect(verdict("exchanged", "Saved images lie in the ball")).toBe("failed");
    process.exitCode = 0;
  });
});
