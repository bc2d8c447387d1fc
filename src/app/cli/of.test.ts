import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { argMax, cast, conv, operatorFamilies, reduceMean, topK } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { sizeOf, tensor } from "../../engine/tensor/tensor.js";
import { faultline, scratch, writeScenes } from "./testing/scene.js";

const folder = scratch();
const [height, width] = [12, 14];
const logits = "/head/logits";
const detector = fileURLToPath(new URL("../../../fixtures/cases/engine/nms_detector.onnx", import.meta.url));

/** A convolution to five classes, twice its result under the name of `logits`, and what an exporter may put behind. */
async function write(name: string, before: (map: Value) => Value, behind: (scores: Value) => Readonly<Record<string, Value>>) {
  const graph = new Graph();
  const random = new Random(1, "of");
  const shape = [5, 3, 3, 3];
  const weights = graph.constant(
    tensor(
      "float32",
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
    ),
  );
  const map = before(conv(graph.input("image", "float32", [1, 3, height, width]), weights, { pads: [1, 1, 1, 1] }));
  const [scores] = graph.add(operatorFamilies.elementwise.Add, [map, map], {}, { name: "head", outputNames: [logits] });
  for (const [output, value] of Object.entries(behind(scores!))) graph.output(output, value);
  await saveModel(graph.build(), folder.path(`${name}.onnx`));
}

beforeAll(async () => {
  await writeScenes(folder.path("data"), 2);
  const map = (x: Value) => x;
  const pooled = (x: Value) => reduceMean(x, [2, 3], "drop");
  await write("mask", map, (x) => ({ mask: argMax(x, 1) }));
  await write("mask-as-numbers", map, (x) => ({ mask: cast(argMax(x, 1, "keep"), "float32") }));
  await write("map", map, (x) => ({ map: x }));
  await write("label", pooled, (x) => ({ label: argMax(x, 1) }));
  await write("three-best", pooled, (x) => {
    const [values, indices] = topK(x, 3, 1);
    return { values, indices };
  });
});
afterAll(() => folder.remove());

const on = (command: string, model: string, task: string, ...more: string[]) =>
  faultline(command, folder.path(`${model}.onnx`), "--task", task, ...more);
const data = () => ["--data", folder.path("data")];
const instead = `The last value before it that can be differentiated is "${logits}" (command line: --of ${logits}).`;

describe("a model that ends in a decision", () => {
  it.each(["mask", "mask-as-numbers"])(
    "%s: attack, compile and doctor say what ends the way, and what to name instead",
    async (name) => {
      const attacked = await on("attack", name, "segmentation", ...data(), "--out", folder.path("stopped"));
      const compiled = await on("compile", name, "segmentation", "-o", folder.path("step.onnx"));
      for (const { code, err } of [attacked, compiled]) {
        expect(code).toBe(1);
        expect(err).toContain("is 0 everywhere: the only way leads through this node:");
        expect(err).toContain(instead);
      }
      // Square needs no gradient, but scores.
      const square = await on("attack", name, "segmentation", ...data(), "--attack", "square", "--out", folder.path("square"));
      expect(square.code).toBe(1);
      expect(square.err).toMatch(
        /is a decision, and every attack needs the scores before it: to follow .*, or to see in them alone/,
      );
      expect(square.err).toContain(instead);
      const checked = await on("doctor", name, "segmentation", ...data());
      expect(checked.out).toContain(instead);
      expect(checked.out).toMatch(/\nTry: --of \/head\/logits {3}\(/);
    },
  );

  it("inspect and grad say it of integers too", async () => {
    for (const args of [["inspect"], ["grad", "-o", folder.path("grad.onnx")]]) {
      const [command, ...more] = args as [string, ...string[]];
      const { out, err } = await faultline(command, folder.path("label.onnx"), ...more);
      expect(out + err).toContain(instead);
    }
  });

  it("is attacked, compiled, measured and inspected up to the value that --of names", async () => {
    for (const name of ["mask", "mask-as-numbers"]) {
      const step = folder.path(`${name}.step.onnx`);
      expect((await on("compile", name, "segmentation", "--of", logits, "-o", step)).code).toBe(0);
    }
    const named = ["--of", logits, ...data(), "--steps", "2"];
    const run = folder.path("run");
    expect((await on("attack", "mask", "segmentation", ...named, "--out", run)).code).toBe(0);
    expect((await on("attack", "map", "segmentation", ...data(), "--steps", "2", "--out", folder.path("bare"))).code).toBe(0);
    const summary = (of: string) => (JSON.parse(readFileSync(`${of}/summary.json`, "utf8")) as { loss: unknown }).loss;
    expect(summary(run)).toEqual(summary(folder.path("bare")));
    expect((await faultline("audit", run)).out).not.toMatch(/WRONG/);
    const critical = await on("criticality", "label", "classification", "--of", logits, ...data(), "--trials", "1", "--json");
    expect(critical.code).toBe(0);
    expect((await faultline("inspect", folder.path("mask.onnx"), "--of", logits)).out).toContain("gradient    exists");
  });

  it("may be said in the specification", async () => {
    const spec = folder.path("mask.spec.json");
    writeFileSync(spec, JSON.stringify({ task: "segmentation", output: { name: logits } }));
    const step = folder.path("said.onnx");
    expect((await faultline("compile", folder.path("mask.onnx"), "--spec", spec, "-o", step)).code).toBe(0);
    rmSync(spec);
  });
});

it("does not take what TopK sorted for classes", async () => {
  const stopped = await on("compile", "three-best", "classification", "-o", folder.path("step.onnx"));
  expect(stopped.err).toContain(`name what is sorted (command line: --of ${logits}; specification: output.name)`);
  const named = await on("compile", "three-best", "classification", "--of", logits, "-o", folder.path("best.onnx"));
  expect(named.code).toBe(0);
});

it("attacks what a detector computes before it sorts boxes out", async () => {
  const stopped = await faultline("compile", detector, "--task", "segmentation", "-o", folder.path("step.onnx"));
  expect(stopped.err).toContain("command line: --of boxes score");
  const named = await faultline("compile", detector, "--task", "segmentation", "--of", "c", "-o", folder.path("c.onnx"));
  expect(named.code).toBe(0);
  expect(named.err).toMatch(/^assumed, [^\n]*\n$/);
  expect(existsSync(folder.path("c.onnx"))).toBe(true);
});

it("names the nearest values where there is no such one", async () => {
  const { err } = await on("compile", "mask", "segmentation", "--of", "/head/logit", "-o", folder.path("step.onnx"));
  expect(err).toContain(`The model has no value "/head/logit"; the nearest names are "${logits}"`);
});
