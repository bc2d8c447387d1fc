import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../engine/compile/lower.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { parseSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { checkedLevels } from "../../engine/testing/run-model.js";
import { loadCheckpoint } from "../../vision/nn/checkpoints/files.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { attacks } from "../attacks/catalogue/index.js";
import { Adversary } from "./adversary.js";
import { trainingLoss } from "./losses.js";
import { adamw } from "./optimizers/index.js";
import { small, smallClassifier } from "./testing/small-network.js";
import { accumulateStep, networkLayout } from "./train-step.js";
import { Trainer } from "./trainer.js";

// Objective, gradient and running statistics by PyTorch in float64: tools/reference/trades.py.
const { tensors: reference } = parseSafetensors(readFileSync("fixtures/training/trades.safetensors"));
const inputs = { image: [2, 3, 8, 8] };
const tasks = {
  segmentation: { network: small, loss: trainingLoss("segmentation", "cross-entropy", [255]) },
  classification: { network: smallClassifier, loss: trainingLoss("classification") },
} as const;

let engine: Engine;
let given: StateDict;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
  given = await loadCheckpoint("fixtures/training/steps.pth");
});
afterAll(() => engine.dispose());

const n = 2 * 3 * 8 * 8;
const image = (i: number) =>
  tensor("float32", inputs.image, (given.get("images")!.data as Float32Array).slice(i * n, (i + 1) * n));
const initial = () => new Map([...given].flatMap(([name, t]) => (name.startsWith("initial/") ? [[name.slice(8), t]] : [])));
const labelsOf = (task: keyof typeof tasks): Tensor =>
  task === "classification"
    ? tensor("int64", [2], [2, 0])
    : tensor("int64", [2, 8, 8], Array.from((given.get("labels")!.data as BigInt64Array).slice(0, 128), Number));

describe.each(Object.keys(tasks) as (keyof typeof tasks)[])("TRADES, %s", (task) => {
  const { network, loss } = tasks[task];

  it("objective, gradient and running statistics agree with PyTorch", async () => {
    const layout = networkLayout(network, { inputs });
    const { parameters, buffers } = layout;
    const zeros = parameters.zeros();
    const named = (names: readonly string[], values: readonly Tensor[]) =>
      Object.fromEntries(names.map((name, i) => [name, values[i]!]));
    const clean = image(0);
    const attacked = tensor(
      "float32",
      clean.shape,
      clean.data.map((v, i) => Math.min(1, Math.max(0, v + 0.2 * (image(1).data[i]! - 0.5)))),
    );
    for (const optimization of checkedLevels) {
      const graph = accumulateStep(network, loss, inputs, layout, { beta: 6 });
      const program = await engine.compile(lower(graph, "cpu"), { optimization });
      const found = await program.run({
        ...named(parameters.names("parameters"), parameters.flatten(initial())),
        ...named(buffers.names("buffers"), buffers.flatten(initial())),
        ...named(parameters.names("gradient"), zeros),
        "images.image": clean,
        "attacked.image": attacked,
        target: labelsOf(task),
        "scalar.share": tensor("float32", [], [1]),
      });
      program.dispose();
      near(found.loss!, reference.get(`${task}/loss`)!, 1e-5, "objective");
      const taken = (kind: string, of: typeof parameters) => of.unflatten(of.names(kind).map((name) => found[`next.${name}`]!));
      for (const [name, gradient] of taken("gradient", parameters))
        near(gradient, reference.get(`${task}/gradient/${name}`)!, 2e-5, `gradient of ${name}`);
      for (const [name, after] of taken("buffers", buffers)) near(after, reference.get(`${task}/after/${name}`)!, 1e-5, name);
    }
  });

  it("its inner attack stays in the ball and moves predictions further from the clean ones than its start", async () => {
    const attack = attacks.pgd({ epsilon: 0.1, stepSize: 0.03, steps: 4 });
    const adversary = await Adversary.create(engine, network, loss, inputs, { attack, trades: { beta: 6 } });
    const trainer = await Trainer.create(engine, { network, loss, optimizer: adamw(), learningRate: 0.01, inputs, seed: 0 });
    const batch = { images: { image: image(0) }, target: labelsOf(task) };
    const { images, attacked } = await adversary.perturb(batch, trainer.weights(), "1");
    expect(images).toBe(batch.images);
    const far = attacked!.image!.data.map((v, i) => Math.abs(v - image(0).data[i]!));
    expect(Math.max(...far)).toBeLessThanOrEqual(0.1 + 1e-6);
    expect(far.filter((d) => d > 0.05).length).toBeGreaterThan(n / 2);
    const again = await adversary.perturb(batch, trainer.weights(), "1");
    expect(again.attacked!.image!.data).toEqual(attacked!.image!.data);
    trainer.dispose();
    adversary.dispose();
  });
});

it("trains, in pieces as in one, and lowers what it says it lowers", async () => {
  const { network, loss } = tasks.classification;
  const losses = async (pieces: number) => {
    const adversary = { attack: attacks.pgd({ epsilon: 0.05, steps: 2 }), trades: { beta: 6 } };
    const common = { network, loss, optimizer: adamw(), learningRate: 0.01, inputs, seed: 0, pieces, adversary };
    const trainer = await Trainer.create(engine, common);
    const batch = { images: { image: image(0) }, target: labelsOf("classification") };
    const found: number[] = [];
    for (let step = 0; step < 30; step++) found.push((await trainer.step(new Array(pieces).fill(batch))).loss);
    trainer.dispose();
    return found;
  };
  const [one, two] = [await losses(1), await losses(2)];
  expect(one.at(-1)!).toBeLessThan(0.7 * one[0]!);
  expect(two.at(-1)!).toBeLessThan(0.7 * two[0]!);
  // The second piece is the same batch, attacked from a start of its own.
  expect(Math.abs(one[0]! - two[0]!)).toBeLessThan(0.02 * one[0]!);
});

it("what TRADES cannot be is said", async () => {
  const create = (more: object, loss = tasks.classification.loss, network = smallClassifier) =>
    Adversary.create(engine, network, loss, inputs, { attack: attacks.pgd(), trades: { beta: 1 }, ...more });
  await expect(create({ share: 0.5 })).rejects.toThrow(
    "TRADES takes the whole batch, clean and attacked; leave out the share of 0.5.",
  );
  await expect(create({ attack: attacks.ensemble() })).rejects.toThrow("ensemble is several attacks");
  await expect(create({}, trainingLoss("restoration"), small)).rejects.toThrow("restoration predicts none");
});

function near(found: Tensor, wanted: Tensor, tolerance: number, what: string): void {
  const largest = (wanted.data as Float32Array).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  (wanted.data as Float32Array).forEach((v, i) => {
    expect(Math.abs(Number(found.data[i]) - v), what).toBeLessThanOrEqual(tolerance * Math.max(largest, 1e-3));
  });
}
