import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { type Shape, sizeOf, tensor } from "../../engine/tensor/tensor.js";
import { linear } from "../../vision/nn/layers/linear.js";
import type { Network } from "../../vision/nn/model.js";
import type { TrainingBatch } from "./batch.js";
import { trainingLoss } from "./losses.js";
import { sgd } from "./optimizers/index.js";
import { networkLayout } from "./train-step.js";
import { Trainer, type TrainerOptions, type TrainingState } from "./trainer.js";

/** More parameters than a vector takes. */
const wide: Network = (p, x) =>
  linear(p.at("head"), linear(p.at("body"), linear(p.at("tail"), x!, { out: 900 }), { out: 1300 }), { out: 3 });
const inputs = { image: [4, 900] };
const options: TrainerOptions = {
  network: wide,
  loss: trainingLoss("classification", "cross-entropy"),
  optimizer: sgd({ momentum: 0.9 }),
  learningRate: 0.1,
  clipNorm: 0.5,
  average: 0.5,
  groups: [{ of: "vectors", learningRate: 0.05 }],
  inputs,
  seed: 3,
};
const random = new Random(0, "flat");
const normal = (shape: Shape) =>
  tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.uniform(-1, 1)),
  );
const batch: TrainingBatch = { images: { image: normal([4, 900]) }, target: tensor("int64", [4], [0, 2, 1, 1]) };

describe("networks with more parameters than a vector takes", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ threads: 1 });
  });
  afterAll(() => engine.dispose());

  it("lie in several vectors, and come back by name", () => {
    const { parameters } = networkLayout(wide, options);
    expect(parameters.vectors.map(({ declarations, size, section }) => [section, size, declarations.map((d) => d.name)])).toEqual(
      [
        [0, 810_000, ["tail.weight"]],
        [0, 1_170_000, ["body.weight"]],
        [0, 3_900, ["head.weight"]],
        [1, 2_203, ["tail.bias", "body.bias", "head.bias"]],
      ],
    );
    const flat = parameters.initial(1);
    const state = parameters.unflatten(flat);
    expect([...state.keys()].sort()).toEqual(parameters.declarations.map((d) => d.name).sort());
    expect(parameters.flatten(state)).toEqual(flat);
  });

  it("train as the formula says, at once and in pieces", async () => {
    const states: TrainingState[] = [];
    for (const pieces of [1, 2]) {
      const trainer = await Trainer.create(engine, { ...options, pieces });
      const before = await trainer.state();
      for (let step = 0; step < 2; step++) await trainer.step(new Array(pieces).fill(batch));
      const after = await trainer.state();
      for (const name of before.network.keys()) {
        const rate = name.endsWith("bias") ? 0.05 : 0.1;
        const [a, b] = [before, after].map((s) => s.network.get(name)!.data as Float32Array) as [Float32Array, Float32Array];
        const v = after.optimizer.velocity!.get(name)!.data as Float32Array;
        const moved = after.average!.get(name)!.data as Float32Array;
        // two steps: v2 = 0.9 v1 + g2, b = a - rate (v1 + v2); the average is a quarter a, a quarter after the first step, half b
        for (const i of [0, a.length >> 1, a.length - 1]) {
          const v1 = (a[i]! - b[i]!) / rate - v[i]!;
          expect(moved[i]!).toBeCloseTo(0.25 * a[i]! + 0.25 * (a[i]! - rate * v1) + 0.5 * b[i]!, 6);
          expect(Math.abs(v1) + Math.abs(v[i]!)).toBeGreaterThan(0);
        }
      }
      states.push(after);
      trainer.dispose();
    }
    for (const [name, { data }] of states[0]!.network) {
      const other = states[1]!.network.get(name)!.data as Float32Array;
      expect(
        Math.max(...Array.from({ length: 500 }, (_, i) => Math.abs(((data[i] as number) ?? 0) - (other[i] ?? 0)))),
      ).toBeLessThan(1e-6);
    }
  });
});
