import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { loadCheckpoint } from "../../vision/nn/checkpoints/files.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import type { TrainingBatch } from "./batch.js";
import { trainingLoss } from "./losses.js";
import { adamw, sgd } from "./optimizers/index.js";
import { small } from "./testing/small-network.js";
import { Trainer, type TrainerOptions, type TrainingState } from "./trainer.js";

const common = { network: small, inputs: { image: [2, 3, 8, 8] }, seed: 0 };
const cases: Record<string, Omit<TrainerOptions, keyof typeof common>> = {
  adamw: { loss: trainingLoss("restoration", "l1"), optimizer: adamw({ weightDecay: 0.1 }), learningRate: 1e-2 },
  "adamw-psnr": {
    loss: trainingLoss("restoration", "psnr"),
    optimizer: adamw({ betas: [0.9, 0.9], weightDecay: 0 }),
    learningRate: 1e-3,
  },
  "adamw-clipped": {
    loss: trainingLoss("restoration", "mse"),
    optimizer: adamw(),
    learningRate: 1e-2,
    clipNorm: 0.05,
    average: 0.9,
  },
  sgd: { loss: trainingLoss("restoration", "mse"), optimizer: sgd({ momentum: 0 }), learningRate: 0.1 },
  "sgd-momentum": {
    loss: trainingLoss("restoration", "charbonnier"),
    optimizer: sgd({ momentum: 0.9, weightDecay: 1e-2 }),
    learningRate: 0.05,
  },
  "sgd-nesterov": {
    loss: trainingLoss("segmentation", "cross-entropy"),
    optimizer: sgd({ momentum: 0.9, kind: "nesterov" }),
    learningRate: 0.05,
  },
  "adamw-groups": {
    loss: trainingLoss("restoration", "l1"),
    optimizer: adamw({ weightDecay: 0.2 }),
    learningRate: 1e-2,
    clipNorm: 0.5,
    groups: [
      { of: "vectors", weightDecay: 0 },
      { of: ["down.*", "depth*"], learningRate: 3e-3 },
    ],
  },
  "sgd-groups": {
    loss: trainingLoss("restoration", "mse"),
    optimizer: sgd(),
    learningRate: 0.05,
    groups: [
      { of: ["*"], weightDecay: 0.1 },
      { of: "vectors", weightDecay: 0 },
      { of: ["d*.bias", "d*.weight"], learningRate: 0.02 },
    ],
  },
  accumulated: { loss: trainingLoss("restoration", "l1"), optimizer: adamw(), learningRate: 1e-2, pieces: 2 },
};

let engine: Engine;
let reference: StateDict;
beforeAll(async () => {
  engine = await createEngine();
  reference = await loadCheckpoint("fixtures/training/steps.pth");
});
afterAll(() => engine.dispose());

const floats = (name: string) => Array.from(reference.get(name)!.data as Float32Array);

function under(prefix: string): StateDict {
  return new Map([...reference].filter(([n]) => n.startsWith(prefix)).map(([n, t]) => [n.slice(prefix.length), t]));
}

/** Batch i of the stored ones. */
function batch(i: number, labeled: boolean): TrainingBatch {
  const entry = (name: string): Tensor => {
    const t = reference.get(name)!;
    const n = t.data.length / t.shape[0]!;
    return { type: t.type, shape: t.shape.slice(1), data: t.data.slice(i * n, (i + 1) * n) } as Tensor;
  };
  return { images: { image: entry("images") as Tensor<"float32"> }, target: entry(labeled ? "labels" : "targets") };
}

const start = (): TrainingState => ({ step: 0, network: under("initial/"), optimizer: {} });

function largestDifference(a: StateDict, b: StateDict): number {
  let largest = 0;
  for (const [name, t] of b) {
    const other = a.get(name)!.data as Float32Array;
    (t.data as Float32Array).forEach((v, i) => {
      largest = Math.max(largest, Math.abs(v - other[i]!));
    });
  }
  return largest;
}

describe("five steps agree with PyTorch", () => {
  for (const [name, settings] of Object.entries(cases)) {
    it(name, async () => {
      const { pieces = 1, loss } = settings;
      const trainer = await Trainer.create(engine, { ...common, ...settings }, start());
      for (let step = 0; step < 5; step++) {
        const batches = Array.from({ length: pieces }, (_, i) => batch(step * pieces + i, loss.task === "segmentation"));
        const report = await trainer.step(batches);
        expect(report.loss).toBeCloseTo(floats(`${name}/losses`)[step]!, 4);
        expect(report.gradientNorm / floats(`${name}/norms`)[step]!).toBeCloseTo(1, 4);
      }
      const { network, average } = await trainer.state();
      // Weights lie around 0.3 and moved by about 0.05.
      expect(largestDifference(network, under(`${name}/final/`))).toBeLessThan(2e-5);
      if (settings.average) expect(largestDifference(average!, under(`${name}/average/`))).toBeLessThan(2e-5);
      trainer.dispose();
    });
  }
});
