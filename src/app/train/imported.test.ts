import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../../engine/graph/graph.js";
import { readModel } from "../../engine/onnx/read-file.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { batchNormalization, cast, conv, relu } from "../../engine/operators/index.js";
import { Resize } from "../../engine/operators/resampling/resize.js";
import { Random } from "../../engine/tensor/random.js";
import { type Shape, sizeOf, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { faultline } from "../cli/testing/scene.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-imported-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const model = join(folder, "net.onnx");

beforeAll(async () => {
  const graph = new Graph();
  const random = new Random(1, "net");
  const weight = (name: string, shape: Shape, draw = () => random.normal(0, 0.3)) =>
    graph.constant(tensor("float32", shape, Float32Array.from({ length: sizeOf(shape) }, draw)), name, "weight");
  const x = graph.input("picture", "float32", [1, 3, 16, 16]);
  const h = conv(x, weight("first/kernel", [8, 3, 3, 3]), { pads: [1, 1, 1, 1] });
  const one = () => 1;
  const n = batchNormalization(
    h,
    weight("norm/scale", [8], one),
    weight("norm/shift", [8], () => 0),
    weight("norm/mean", [8], () => 0.1),
    weight("norm/variance", [8], one),
  );
  graph.output("classes", conv(relu(n), weight("last/kernel", [9, 8, 1, 1]), { bias: weight("last/bias", [9]) }));
  await saveModel(graph.build(), model);
  writeFileSync(join(folder, "net.spec.json"), JSON.stringify({ task: "segmentation", range: "-1..1" }));
});

async function train(name: string, change: object) {
  const config = {
    task: "segmentation",
    model,
    data: { kind: "synthetic", size: 16, length: 8, seed: 0 },
    batch: 4,
    steps: 6,
    optimizer: { name: "adamw", learningRate: 0.01 },
    evaluation: { data: { kind: "synthetic", size: 16, length: 4, seed: 1 }, every: 6, batch: 2 },
    ...change,
  };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  const outcome = await faultline("train", join(folder, `${name}.json`), "--out", join(folder, name));
  return { ...outcome, path: join(folder, name) };
}

const tensors = async (path: string) => (await readModel(path)).graph.initializers;
const losses = (path: string) =>
  readFileSync(join(path, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .flatMap((line) => (JSON.parse(line) as { loss?: number }).loss ?? []);

describe("an imported model", () => {
  it("is trained by its own initializers, and written as the same file with new weights", async () => {
    const { code, err, path } = await train("whole", { record: 1, frozen: ["first/*"] });
    expect(code, err).toBe(0);
    expect(err).toContain("2 running statistics of batch normalization stay as they are");
    const [before, after] = [await readModel(model), await readModel(join(path, "model.onnx"))];
    expect(after.graph.nodes).toEqual(before.graph.nodes);
    expect([...after.graph.initializers.keys()]).toEqual([...before.graph.initializers.keys()]);
    for (const [name, t] of before.graph.initializers) {
      const same =
        JSON.stringify([...t.data].map(Number)) === JSON.stringify([...after.graph.initializers.get(name)!.data].map(Number));
      expect(same, name).toBe(/first|mean|variance/.test(name));
    }
    const [first, ...rest] = losses(path);
    expect(rest.at(-1)!).toBeLessThan(first!);
    expect(readFileSync(join(path, "card.md"), "utf8")).toContain(
      "The same file with new weights: 4 tensors were trained for 6 steps",
    );
  });

  it("is trained against attacks, and resumes to the same bytes", async () => {
    const adversary = { attack: "pgd", epsilon: 8 / 255, steps: 2 };
    const { code, err, path } = await train("adversarial", { adversary });
    expect(code, err).toBe(0);
    expect(readFileSync(join(path, "card.md"), "utf8")).toContain("50 % of each batch was attacked by pgd");
    const again = await train("adversarial-again", { adversary });
    expect((await tensors(join(again.path, "model.onnx"))).get("last/kernel")).toEqual(
      (await tensors(join(path, "model.onnx"))).get("last/kernel"),
    );
  });

  it("without a sidecar says what is assumed, in the terminal, plan and card; with one that says it, goes on", async () => {
    const silent = join(folder, "silent.onnx");
    copyFileSync(model, silent);
    const { code, err, path } = await train("assumed", { model: silent });
    expect(code, err).toBe(0);
    const sentence =
      /Assumed, since .*silent\.spec\.json does not say it: value range 0\.\.1 \("range"\), channel order rgb \("channels"\)/;
    expect(err).toMatch(sentence);
    expect(readFileSync(join(path, "card.md"), "utf8")).toMatch(sentence);
    const plan = () => JSON.parse(readFileSync(join(path, "run.json"), "utf8"));
    expect(plan()).toMatchObject({ spec: { range: "0..1" }, assumed: ["range", "channels", "output.meaning"] });

    const sidecar = (of: object) => writeFileSync(join(folder, "silent.spec.json"), JSON.stringify(of));
    const rest = { channels: "rgb", output: { meaning: "logits" } };
    sidecar({ task: "segmentation", range: "0..1", ...rest });
    const resumed = await train("assumed", { model: `${folder}/./silent.onnx` });
    expect([resumed.code, resumed.err]).toEqual([0, expect.not.stringContaining("Assumed")]);
    expect(plan().assumed).toBeUndefined();
    sidecar({ task: "segmentation", range: "-1..1", ...rest });
    const other = await train("assumed", { model: silent });
    expect([other.code, other.err]).toEqual([1, expect.stringMatching(/holds a run with other settings \(spec\.range is /)]);
    writeFileSync(join(folder, "silent.spec.json"), "{");
    const broken = await train("broken", { model: silent });
    expect([broken.code, broken.err]).toEqual([1, expect.stringMatching(/silent\.spec\.json is not valid JSON/)]);
  });

  it("has weights that are no parameters: the scales of an enlargement stay what they are", async () => {
    const graph = new Graph();
    const weight = (name: string, shape: Shape, value: number) =>
      graph.constant(tensor("float32", shape, new Float32Array(sizeOf(shape)).fill(value)), name, "weight");
    const x = graph.input("picture", "float32", [1, 3, 16, 16]);
    const half = conv(x, weight("kernel", [9, 3, 2, 2], 0.1), { strides: [2, 2] });
    const scales = graph.constant(tensor("float32", [4], [1, 1, 2, 2]), "scales", "weight");
    const [wide] = graph.add(Resize, [half, undefined, scales], { mode: "linear" });
    graph.output("classes", wide!);
    const enlarging = join(folder, "enlarging.onnx");
    await saveModel(graph.build(), enlarging);
    const { code, err, path } = await train("enlarging", { model: enlarging });
    expect(code, err).toBe(0);
    const after = await tensors(join(path, "model.onnx"));
    expect(toNumbers(after.get("scales")!)).toEqual([1, 1, 2, 2]);
    expect(new Set(toNumbers(after.get("kernel")!)).size).toBeGreaterThan(1);
  });

  it("in float16 is trained in float32, and written in float16", async () => {
    const graph = new Graph();
    const x = graph.input("picture", "float32", [1, 3, 16, 16]);
    const kernel = graph.constant(tensor("float16", [9, 3, 1, 1], new Float32Array(27).fill(0.25)), "kernel", "weight");
    graph.output("classes", cast(conv(cast(x, "float16"), kernel), "float32"));
    const narrow = join(folder, "narrow.onnx");
    await saveModel(graph.build(), narrow);
    const { code, err, path } = await train("narrow", { model: narrow });
    expect(code, err).toBe(0);
    const after = (await tensors(join(path, "model.onnx"))).get("kernel")!;
    expect(after.type).toBe("float16");
    expect(toNumbers(after).every((v) => v !== 0.25 && Math.abs(v - 0.25) < 0.1)).toBe(true);
  });

  it.each([
    [{ frozen: ["frist/*"] }, /The model has no trainable weight called "frist\/\*"; did you mean first\/\* or last/],
    [{ trained: ["nothing/*"] }, /The model has no trainable weight called "nothing\/\*"; there are/],
    [{ network: "unet" }, /names both a network and a model; leave one of them out/],
    [{ crop: [8, 8] }, /takes images of 16x16 \(height x width\) only, not 8x8/],
    [{ trainde: ["*"] }, /there is no field "trainde" \(did you mean "trained"\?\)/],
  ])("%j is refused in a sentence", async (change, sentence) => {
    const { code, err } = await train("refused", change);
    expect([code, err]).toEqual([1, expect.stringMatching(sentence)]);
  });
});
