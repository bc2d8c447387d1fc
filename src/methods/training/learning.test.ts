import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { relu } from "../../engine/operators/index.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { syntheticDataset } from "../../vision/data/index.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { batchNorm2d } from "../../vision/nn/layers/batch-norm.js";
import { conv2d } from "../../vision/nn/layers/convolution.js";
import type { Network } from "../../vision/nn/model.js";
import { findNetwork } from "../../vision/nn/networks/index.js";
import { apgd, cospgd, fgsm, miFgsm, pgd } from "../attacks/catalogue/index.js";
import { type Attack, attackOf, ownParameters } from "../attacks/definition.js";
import { Adversary } from "./adversary.js";
import { Batches, inMemory } from "./batch.js";
import { trainingLoss } from "./losses.js";
import { adamw, sgd } from "./optimizers/index.js";
import { cosine } from "./schedules.js";
import { Trainer, type TrainerOptions } from "./trainer.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => engine.dispose());

const { network: nafnet } = findNetwork({
  family: "nafnet",
  activation: "simple-gate",
  attention: "simplified-channel",
  width: 8,
  encoderBlocks: [1],
  middleBlocks: 1,
  decoderBlocks: [1],
});
const loss = trainingLoss("restoration", "mse");
const data = inMemory(syntheticDataset({ task: "restoration", size: 40, length: 24, seed: 3, displacement: 0.15 }));
const batches = (size: number, crop: number) =>
  new Batches(data, loss, { size, seed: 0, inputs: ["image"], augmentation: { crop: [crop, crop], flips: ["horizontal"] } });

async function losses(options: Omit<TrainerOptions, "seed">, steps: number, source: Batches, batch?: number): Promise<number[]> {
  const trainer = await Trainer.create(engine, { ...options, seed: 0 });
  const values: number[] = [];
  for (let i = 0; i < steps; i++) values.push((await trainer.step([await source.batch(batch ?? i)])).loss);
  trainer.dispose();
  return values;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("training", () => {
  it("deblurs: the loss falls by 15 dB from the first step, to half a decibel below that of the blurred pictures", async () => {
    const steps = 350;
    const psnr = trainingLoss("restoration", "psnr");
    const values = await losses(
      {
        network: nafnet,
        loss: psnr,
        optimizer: adamw({ betas: [0.9, 0.9] }),
        learningRate: 5e-3,
        schedule: cosine(steps),
        clipNorm: 10,
        inputs: { image: [4, 3, 32, 32] },
      },
      steps,
      batches(4, 32),
    );
    const source = batches(4, 32);
    const blurred: number[] = [];
    for (let step = steps - 50; step < steps; step++) {
      const { images, target } = await source.batch(step);
      const sharp = target.data as Float32Array;
      const size = sharp.length / 4;
      const squares = Array.from(images.image!.data, (v, k) => (v - sharp[k]!) ** 2);
      for (let b = 0; b < 4; b++) blurred.push(10 * Math.log10(mean(squares.slice(b * size, (b + 1) * size))));
    }
    const reached = mean(values.slice(-50));
    expect(reached).toBeLessThan(values[0]! - 15);
    expect(reached).toBeLessThan(mean(blurred) - 0.5);
  });

  it("overfits one batch", async () => {
    const wide = findNetwork({
      family: "unet",
      width: 16,
      levels: 2,
      outputChannels: 3,
      normalization: "none",
      output: "residual",
    });
    const steps = 600;
    const values = await losses(
      {
        network: wide.network,
        loss,
        optimizer: adamw({ weightDecay: 0 }),
        learningRate: 3e-3,
        schedule: cosine(steps),
        inputs: { image: [1, 3, 16, 16] },
      },
      steps,
      batches(1, 16),
      0,
    );
    expect(values.at(-1)! / values[0]!).toBeLessThan(1e-3);
    // Nor is that an artefact of a bad start: of the blur itself, a twentieth is not left.
    const { images, target } = await batches(1, 16).batch(0);
    const blurred = mean(Array.from(images.image!.data, (v, k) => (v - (target.data as Float32Array)[k]!) ** 2));
    expect(values.at(-1)!).toBeLessThan(blurred / 20);
  });
});

/** With running statistics, which an attack's passes must not touch either. */
const normalized: Network = (p, x) => {
  const h = relu(batchNorm2d(p.at("norm"), conv2d(p.at("first"), x!, { out: 6, kernel: 3 })));
  return conv2d(p.at("last"), h, { out: 3, kernel: 3 });
};

async function trained(options: Partial<TrainerOptions>, steps = 3): Promise<StateDict> {
  const trainer = await Trainer.create(engine, {
    network: normalized,
    loss,
    optimizer: sgd(),
    learningRate: 0.05,
    inputs: { image: [4, 3, 16, 16] },
    seed: 0,
    ...options,
  });
  const source = batches(4, 16);
  for (let i = 0; i < steps; i++) await trainer.step([await source.batch(i)]);
  const { network } = await trainer.state();
  trainer.dispose();
  return network;
}

describe("adversarial training", () => {
  it("leaks nothing of the attack into the update: an attack that changes no pixel changes no bit", async () => {
    const plain = await trained({});
    // Added to pixels of at least 2⁻²⁴, which all of these are, 10⁻²⁰ is nothing in float32.
    for (const definition of [fgsm, pgd, cospgd, miFgsm, apgd]) {
      const attack = attackOf(definition, ownParameters(definition, { epsilon: 1e-20, steps: 2 }));
      expect(await trained({ adversary: { attack, share: 0.5 } })).toEqual(plain);
    }
  });

  it("replaces the first part of the batch within the ball, raises the loss there, and leaves the rest", async () => {
    const trainer = await Trainer.create(engine, {
      network: nafnet,
      loss,
      optimizer: sgd(),
      learningRate: 0.1,
      inputs: { image: [4, 3, 16, 16] },
      seed: 0,
    });
    const epsilon = 8 / 255;
    const batch = await batches(4, 16).batch(0);
    const inputs = { image: [4, 3, 16, 16] };
    const clean = batch.images.image!.data;
    const quarter = clean.length / 4;
    for (const [share, count] of [
      [0.5, 2],
      [0.75, 3],
      [0.01, 1],
      [1, 4],
    ] as const) {
      const adversary = await Adversary.create(engine, nafnet, loss, inputs, {
        attack: pgd({ norm: "l_inf", epsilon, steps: 3 }),
        share,
      });
      const attacked = (await adversary.perturb(batch, trainer.weights(), "a")).images.image!.data;
      const again = (await adversary.perturb(batch, trainer.weights(), "a")).images.image!.data;
      const changes = attacked.map((v, i) => Math.abs(v - clean[i]!));
      expect(adversary.count).toBe(count);
      expect(Math.max(...changes)).toBeLessThan(epsilon + 1e-6);
      expect(changes.subarray(0, count * quarter).filter((c) => c > 0).length).toBeGreaterThan(count * quarter * 0.5);
      expect(Math.max(0, ...changes.subarray(count * quarter))).toBe(0);
      expect(attacked.every((v) => v >= 0 && v <= 1)).toBe(true);
      expect(again).toEqual(attacked);
      adversary.dispose();
    }
    trainer.dispose();
  });

  it("follows the attack's schedule, restarts and starts in the ball", async () => {
    const trainer = await Trainer.create(engine, {
      network: nafnet,
      loss,
      optimizer: sgd(),
      learningRate: 0.1,
      inputs: { image: [4, 3, 16, 16] },
      seed: 0,
    });
    const batch = await batches(4, 16).batch(0);
    const clean = batch.images.image!.data;
    const epsilon = 8 / 255;
    const attacked = async (attack: Attack) => {
      const adversary = await Adversary.create(engine, nafnet, loss, { image: [4, 3, 16, 16] }, { attack, share: 1 });
      const { images } = await adversary.perturb(batch, trainer.weights(), "a");
      adversary.dispose();
      return images.image!.data;
    };
    const plain = await attacked(pgd({ epsilon, steps: 2 }));
    for (const attack of [
      pgd({ epsilon, steps: 2, schedule: "linear" }),
      pgd({ epsilon, steps: 2, restarts: 3 }),
      pgd({ norm: "l_2", epsilon: 0.5, steps: 2, randomStart: "ball" }),
      pgd({ epsilon, steps: 2, grid: "8-bit" }),
      miFgsm({ epsilon, steps: 2 }),
      apgd({ epsilon, steps: 3 }),
    ]) {
      const found = await attacked(attack);
      expect(found).not.toEqual(plain);
      expect(await attacked(attack)).toEqual(found);
      const changes = found.map((v, i) => Math.abs(v - clean[i]!));
      expect(Math.max(...changes)).toBeGreaterThan(0);
      expect(Math.max(...changes)).toBeLessThan(attack.budget.epsilon! + 1e-6);
    }
    trainer.dispose();
  });

  it("refuses shares that are none", async () => {
    const create = (attack: Parameters<typeof Adversary.create>[4]) =>
      Adversary.create(engine, nafnet, loss, { image: [2, 3, 16, 16] }, attack);
    await expect(create({ attack: fgsm({ norm: "l_inf", epsilon: 0.1 }), share: 1.5 })).rejects.toThrow(/not 1.5/);
  });
});

it("stops in one sentence when the loss is no number", async () => {
  await expect(trained({ learningRate: 1e30 }, 4)).rejects.toThrow(/The loss became .* at step .*; lower the learning rate/);
});

it("refuses Nesterov's look-ahead without momentum, which would be plain descent", () => {
  expect(() => sgd({ momentum: 0, kind: "nesterov" })).toThrow(/needs a momentum above 0/);
});
