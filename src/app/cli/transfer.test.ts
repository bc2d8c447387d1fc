import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { conv, reduceMean, squeeze, tanh } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { sizeOf, tensor } from "../../engine/tensor/tensor.js";
import { writeImage } from "../../vision/data/node/image-file.js";
import { faultline, scratch } from "./testing/scene.js";

const { path, remove } = scratch();
const random = new Random(3, "transfer");
const draw = (shape: readonly number[], least: number, most: number) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(least, most)),
  );

/** A classifier of so many classes for pictures of one size. */
async function classifier(name: string, classes: number, side: number): Promise<string> {
  const graph = new Graph();
  const hidden = tanh(conv(graph.input("image", "float32", [1, 3, side, side]), graph.constant(draw([6, 3, 3, 3], -1, 1))));
  const logits = conv(hidden, graph.constant(draw([classes, 6, 3, 3], -1, 1)));
  graph.output("logits", squeeze(reduceMean(logits, [2, 3], "keep"), [2, 3]));
  const file = path(`${name}.onnx`);
  await saveModel(graph.build(), file);
  writeFileSync(
    path(`${name}.spec.json`),
    JSON.stringify({ task: "classification", range: "0..1", output: { meaning: "logits" } }),
  );
  return file;
}

const json = (...names: string[]) => JSON.parse(readFileSync(path(...names), "utf8"));
let [attacked, other, larger, fewer] = ["", "", "", ""];

beforeAll(async () => {
  attacked = await classifier("attacked", 4, 12);
  other = await classifier("other", 4, 12);
  larger = await classifier("larger", 4, 16);
  fewer = await classifier("fewer", 3, 12);
  const { mkdirSync } = await import("node:fs");
  mkdirSync(path("data", "images"), { recursive: true });
  const names = ["a", "b", "c"].map((name) => `${name}.png`);
  for (const name of names) await writeImage(path("data", "images", name), draw([3, 12, 12], 0, 1));
  writeFileSync(path("data", "labels.txt"), names.map((name, i) => `${name} ${i}`).join("\n"));
});
afterAll(remove);

const attack = (out: string, ...more: string[]) =>
  faultline(
    "attack",
    attacked,
    "--data",
    path("data"),
    "--attack",
    "pgd",
    "--steps",
    "2",
    "--no-audit",
    "--quiet",
    "--out",
    path(out),
    ...more,
  );

it("models that are named before the attack, and after it, get the same numbers", async () => {
  const before = await attack("before", "--transfer-to", other, "--transfer-to", larger);
  expect(before.code).toBe(0);
  const run = json("before", "summary.json");
  expect(run.transfer.map((t: { model: string }) => t.model)).toEqual(["other", "larger"]);
  for (const { metrics, success, samples } of run.transfer) {
    expect(samples).toBe(3);
    const right = Math.round(3 * metrics.truth.clean["top-1"]);
    expect(success.of).toBe(right);
    const left = Math.round(3 * metrics.truth.adversarial["top-1"]);
    expect(Math.abs(right - Math.round(success.adversarial * right) - left)).toBeLessThanOrEqual(3 - right);
  }
  // A picture of 12x12 is enlarged by mirroring for a model of 16x16, and that is said.
  expect(run.transfer[1].framing).toEqual({ padded: 3, scaled: 0 });
  expect((await attack("after", "--save", "float")).code).toBe(0);
  const after = await faultline("transfer", path("after"), other, larger, "--json");
  expect(after.code).toBe(0);
  expect(JSON.parse(after.out).summary.transfer).toEqual(run.transfer);
  const lines = (run: string) => readFileSync(path(run, "transfer.jsonl"), "utf8");
  expect(lines("after")).toBe(lines("before"));
  const report = readFileSync(path("after", "report.html"), "utf8");
  expect(report).toContain("On other models");
  expect(report).toContain("for larger, which takes other sizes");
  // The command that made the run goes on where nothing is left to do, and keeps the models.
  expect((await attack("before", "--transfer-to", other, "--transfer-to", larger)).code).toBe(0);
  expect(lines("before")).toBe(lines("after"));
});

it("a report's table.csv holds what the images do on other models", async () => {
  expect((await attack("alone")).code).toBe(0);
  const { code, err } = await faultline("report", path("before"), path("alone"), "--out", path("report"));
  expect(code, err).toBe(0);
  const [head = [], ...rows] = readFileSync(path("report", "table.csv"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  const text = head.join(",");
  for (const model of ["other", "larger"])
    for (const stage of ["clean", "adversarial", "saved"]) expect(text).toContain(`"shown to ${model}, ${stage}"`);
  // Six columns of other models, then the last two.
  expect(head.slice(-2)).toEqual(["audit", "run"]);
  const shown = (name: string) => rows.find((row) => row.at(-1) === name)!.slice(-8, -2);
  const { transfer } = json("before", "summary.json");
  expect(shown("before").map(Number)).toEqual(
    transfer.flatMap(({ metrics }: { metrics: { truth: Record<string, Record<string, number>> } }) =>
      ["clean", "adversarial", "saved"].map((stage) => metrics.truth[stage]!["top-1"]),
    ),
  );
  expect(shown("alone")).toEqual(["", "", "", "", "", ""]);
});

it("a run without floats is measured as it was saved, and says so", async () => {
  expect((await attack("saved")).code).toBe(0);
  const { out, code } = await faultline("transfer", path("saved"), other);
  expect(code).toBe(0);
  expect(out).toMatch(/other +\d\.\d+ +not kept +\d\.\d+/);
  const [found] = json("saved", "summary.json").transfer;
  expect(Object.keys(found.metrics.truth)).toEqual(["clean", "saved"]);
});

it("a model of other classes is refused before the attack", async () => {
  const { code, err } = await attack("early", "--transfer-to", fewer);
  expect(code).toBe(1);
  expect(err).toContain("fewer.onnx predicts 3 classes and");
  expect(existsSync(path("early"))).toBe(false);
});

it("models of other classes and tasks are refused in a sentence", async () => {
  const { err, code } = await faultline("transfer", path("saved"), fewer);
  expect(code).toBe(1);
  expect(err).toContain("fewer.onnx predicts 3 classes and");
  expect(json("saved", "run.json").transfer.length).toBe(1);
  writeFileSync(path("fewer.spec.json"), JSON.stringify({ task: "segmentation" }));
  expect((await faultline("transfer", path("saved"), fewer)).err).toContain(
    "fewer.onnx is for segmentation, and the run attacks classification; name a model of the same task.",
  );
  expect((await faultline("transfer", path("nowhere"), other)).err).toContain("is no run directory");
});
