import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { saveModel } from "../../engine/onnx/write-file.js";
import { concat, conv, mul, reduceMean, tanh } from "../../engine/operators/index.js";
import { argmax, unstack } from "../../engine/tensor/arrays.js";
import { Random } from "../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { readImage, writeImage } from "../../vision/data/node/image-file.js";
import { openDataset } from "../../vision/data/node/open.js";
import { syntheticDataset } from "../../vision/data/synthetic/dataset.js";
import { loadModel } from "../../vision/model/node.js";
import { type TaskName, tasks } from "../../vision/tasks/index.js";
import { writeMask } from "./testing/mask.js";
import { faultline, scratch } from "./testing/scene.js";

const folder = scratch();
afterAll(folder.remove);

const random = new Random(4, "one geometry");
const weights = (shape: readonly number[]) =>
  tensor(
    "float32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal(0, 0.5)),
  );

/** A network for pictures of one size, whatever the data's. */
async function saveNetwork(task: TaskName, [height, width]: readonly [number, number], channels: number): Promise<string> {
  const { roles, extent } = tasks[task];
  const graph = new Graph();
  const images = roles.map((role) => graph.input(role, "float32", [1, 3, height, width]));
  const layer = (x: Value, out: number) => conv(x, graph.constant(weights([out, x.shape[1]!, 3, 3])), { pads: [1, 1, 1, 1] });
  const y = layer(tanh(layer(images.length > 1 ? concat(images, 1) : images[0]!, 6)), channels);
  graph.output("y", extent === "image" ? mul(reduceMean(y, [2, 3], "drop"), 8) : y);
  await saveModel(graph.build(), folder.path(`${task}.onnx`));
  return folder.path(`${task}.onnx`);
}

/**
 * Synthetic samples as a plain folder, with the task's own files. Classes are what the model itself says, but for some: a random network is hardly ever
 * right otherwise, and the doctor then says nothing.
 */
async function saveSamples(
  task: TaskName,
  model: string,
  count: number,
  size: { height: number; width: number },
): Promise<string> {
  const { arrangements, labels } = tasks[task].folder;
  const [{ inputs, labels: labelFolder = "" }] = arrangements as [(typeof arrangements)[number]];
  const made = syntheticDataset({ task, size, length: count, seed: 2 });
  const root = folder.path(`${task}-data`);
  for (const name of [...Object.values(inputs), labelFolder]) mkdirSync(`${root}/${name}`, { recursive: true });
  for (let i = 0; i < count; i++) {
    const sample = await made.sample(i);
    for (const [role, name] of Object.entries(inputs)) await writeImage(`${root}/${name}/s${i}.png`, sample.inputs[role]!);
    if (labels.kind !== "maps") continue;
    const [extension] = Object.keys(labels.readers);
    const truth = { target: sample.target as ReturnType<typeof tensor<"float32">>, valid: sample.valid! };
    writeFileSync(`${root}/${labelFolder}/s${i}${extension}`, labels.write(truth));
  }
  if (labels.kind === "maps") return root;
  const pictures = await Promise.all(Array.from({ length: count }, (_, i) => readImage(`${root}/${inputs.image}/s${i}.png`)));
  const loaded = await loadModel(model, { task });
  const own = argmaxOf(await loaded.predict(pictures));
  await loaded.dispose();
  if (labels.kind === "list")
    writeFileSync(`${root}/labels.txt`, own.map((of, i) => `s${i}.png ${i === 1 ? 7 - of[0]! : of[0]!}`).join("\n"));
  else
    own.forEach((of, i) => {
      const changed = of.map((k, at) => (at % 5 === 0 ? 8 - k : k));
      writeMask(`${root}/${labelFolder}/s${i}.png`, tensor("int32", [size.height, size.width], changed));
    });
  return root;
}

/** Classes of each sample. */
const argmaxOf = (predictions: Tensor<"float32">): number[][] =>
  Array.from({ length: predictions.shape[0]! }, (_, i) => Array.from(argmax(unstack(predictions, i))));

type Summary = { readonly metrics: { readonly truth: { readonly clean: Readonly<Record<string, number>> } } };
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(folder.path(...path), "utf8")) as T;

const cases: readonly { readonly task: TaskName; readonly channels: number; readonly metric: string }[] = [
  { task: "classification", channels: 8, metric: "top-1" },
  { task: "segmentation", channels: 9, metric: "aAcc" },
  { task: "flow", channels: 2, metric: "EPE" },
  { task: "depth", channels: 1, metric: "AbsRel" },
];

// 30x44 pictures for a model of 24x24: padded, the picture is scaled with its shape kept and mirrored; stretched, it is scaled alone.
describe.each(cases)("one number for one model on the same pictures: $task", ({ task, channels, metric }) => {
  let model: string;
  let data: string;
  beforeAll(async () => {
    model = await saveNetwork(task, [24, 24], channels);
    data = await saveSamples(task, model, 6, { height: 30, width: 44 });
  });

  it.each([
    ["pad", []],
    ["resize", []],
    ["pad", ["--crop", "26x40"]],
    ["resize", ["--shorter", "27"]],
  ] as const)("--mismatch %s %s", async (mismatch, fit) => {
    const name = `${task}-${mismatch}-${fit.length}`;
    const said = ["--task", task, "--range", "0..1", "--channels", "rgb", "--data", data, "--mismatch", mismatch, ...fit];
    const attacked = await faultline(
      "attack",
      model,
      ...said,
      ...["--attack", "fgsm", "--epsilon", "1/255", "--out", folder.path(name)],
    );
    expect(attacked.code, attacked.err).toBe(0);
    const clean = read<Summary>(name, "summary.json").metrics.truth.clean;

    const { kind, extent, roles } = tasks[task];
    if (kind === "classes") {
      const doctor = await faultline("doctor", model, ...said, "--json");
      const findings = (JSON.parse(doctor.out) as { sentence: string }[]).map((f) => f.sentence).join("\n");
      const [, given] = (/with all as given, ([\d.]+) %/.exec(findings) ?? /does best or as well: ([\d.]+) % of/.exec(findings))!;
      expect(Number(given)).toBeCloseTo(100 * clean[metric]!, 0);

      const probed = await faultline(
        ...["criticality", model, ...said, "--trials", "1", "--layers", "*", "--out", folder.path(`${name}-criticality`)],
      );
      expect(probed.code, probed.err).toBe(0);
      const { intactAccuracy } = read<{ intactAccuracy: number }>(`${name}-criticality`, "criticality.json");
      expect(intactAccuracy).toBeCloseTo(clean[metric]!, 6);
    }

    if (fit.length > 0) return;
    const dataset = await openDataset(data, { task });
    const samples = await Promise.all(Array.from({ length: dataset.length }, (_, i) => dataset.sample(i)));
    const loaded = await loadModel(model, { task }, { mismatch });
    try {
      const images = Object.fromEntries(roles.map((role) => [role, samples.map((s) => s.inputs[role]!)]));
      const valid = samples[0]!.valid && extent === "pixels" ? { valid: samples.map((s) => s.valid!) } : {};
      const { metrics } = await loaded.evaluate(images, samples.map((s) => s.target!) as never, valid);
      expect(metrics[metric]).toBeCloseTo(clean[metric]!, 5);
    } finally {
      await loaded.dispose();
    }
  });
});

it("training evaluates with the same number", async () => {
  const model = folder.path("segmentation.onnx");
  const data = folder.path("segmentation-data");
  const source = { kind: "folder", path: data };
  const config = {
    ...{ task: "segmentation", model, data: source, crop: [24, 24], batch: 1, steps: 1, record: 1 },
    // No weight moves by a rate like this.
    optimizer: { name: "sgd", learningRate: 1e-30, momentum: 0 },
    evaluation: { data: source, crop: [24, 24] },
  };
  writeFileSync(folder.path("train.json"), JSON.stringify(config));
  writeFileSync(folder.path("segmentation.spec.json"), JSON.stringify({ task: "segmentation", range: "0..1", channels: "rgb" }));
  const trained = await faultline("train", folder.path("train.json"), "--out", folder.path("trained"));
  expect(trained.code, trained.err).toBe(0);
  const [line] = readFileSync(folder.path("trained", "records.jsonl"), "utf8").trim().split("\n").slice(-1);
  const evaluated = JSON.parse(line!) as { evaluation: Readonly<Record<string, number>> };
  const attacked = await faultline(
    ...["attack", model, "--task", "segmentation", "--data", data, "--crop", "24x24", "--attack", "fgsm", "--epsilon", "1/255"],
    ...["--out", folder.path("attacked")],
  );
  expect(attacked.code, attacked.err).toBe(0);
  const clean = read<Summary>("attacked", "summary.json").metrics.truth.clean;
  for (const metric of ["aAcc", "mIoU"]) expect(evaluated.evaluation[metric]).toBeCloseTo(clean[metric]!, 6);
});
