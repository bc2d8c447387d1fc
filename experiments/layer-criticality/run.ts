/**
 * Trains small ResNets on MNIST: plainly, with augmentation, and against FGSM and PGD at rising epsilon; and measures the
 * criticality of every layer. Finished rows are kept in results.json, so that an interrupted run goes on.
 *
 * Run from the repository's root: npx tsx experiments/layer-criticality/run.ts
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createEngine } from "../../src/engine/runtime/node.js";
import { tensor } from "../../src/engine/tensor/tensor.js";
import { attacks, pgd } from "../../src/methods/attacks/catalogue/index.js";
import { attackOf, compileAttack, ownParameters } from "../../src/methods/attacks/definition.js";
import { isWeighted } from "../../src/methods/criticality/layer.js";
import { measureResets } from "../../src/methods/criticality/measure-resets.js";
import { probeOf } from "../../src/methods/criticality/probe.js";
import { layerProfile, profileOf, type TrialMeasures, trialMeasures } from "../../src/methods/criticality/profile.js";
import { schemeSource } from "../../src/methods/criticality/resets.js";
import { Batches, collate } from "../../src/methods/training/batch.js";
import { trainingLoss } from "../../src/methods/training/losses.js";
import { adamw } from "../../src/methods/training/optimizers/index.js";
import { cosine } from "../../src/methods/training/schedules.js";
import { Trainer } from "../../src/methods/training/trainer.js";
import { type Dataset, fitted } from "../../src/vision/data/index.js";
import type { StateDict } from "../../src/vision/nn/checkpoints/state-dict.js";
import { networkModel } from "../../src/vision/nn/model.js";
import { findNetwork } from "../../src/vision/nn/networks/index.js";
import { asConstants, Parameters } from "../../src/vision/nn/scope.js";
import { parseModelSpec } from "../../src/vision/spec/model-spec.js";
import { tasks } from "../../src/vision/tasks/index.js";
import { fraction } from "../shared/fraction.js";
import { openData } from "./data.js";
import { writeReport } from "./report.js";
import { type Config, type DataName, labelOf, type Row, type TrainingKind } from "./types.js";

const folder = "experiments/layer-criticality";
const config = JSON.parse(readFileSync(`${folder}/config.json`, "utf8")) as Config;
const resultsFile = `${folder}/results.json`;
const rows: Row[] = existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, "utf8")) as Row[]) : [];
const loss = trainingLoss("classification");
const engine = await createEngine();

const names = Object.keys(config.data) as DataName[];
const opened = Object.fromEntries(names.map((name) => [name, openData(name, config.data[name])]));
for (const seed of config.seeds) {
  for (const data of names) {
    const { size } = config.data[data];
    const test = await wholeSet(fitted(opened[data]!.test, { kind: "crop", height: size, width: size }));
    for (const training of config.trainings[data]) {
      if (rows.some((r) => r.data === data && labelOf(r.training) === labelOf(training) && r.seed === seed)) continue;
      const began = performance.now();
      const state = await train(data, opened[data]!.training, training, seed);
      const robust = await accuracies(data, state, test);
      const layers = await criticalities(data, state, test, seed);
      const seconds = Math.round((performance.now() - began) / 1000);
      const criticality = layers.reduce((sum, l) => sum + l.criticality, 0) / layers.length;
      rows.push({ data, training, seed, seconds, ...robust, criticality, layers });
      writeFileSync(resultsFile, `${JSON.stringify(rows, undefined, 1)}\n`);
      process.stderr.write(
        `${data}, ${labelOf(training)}, seed ${seed}: accuracy ${robust.accuracy.toFixed(3)}, robust ${robust.robust.toFixed(3)}, criticality ${criticality.toFixed(3)}, ${seconds} s\n`,
      );
    }
  }
}
await engine.dispose();
await writeReport(folder, config, rows);

function networkFor(data: DataName) {
  return findNetwork({ ...config.network, classes: config.data[data].classes }).network;
}

async function train(data: DataName, dataset: Dataset, training: TrainingKind, seed: number): Promise<StateDict> {
  const { steps, batch, learningRate, weightDecay, attackSteps, share } = config.training;
  const { size } = config.data[data];
  const epsilon = fraction(training.epsilon ?? "0");
  const trainer = await Trainer.create(engine, {
    network: networkFor(data),
    loss,
    optimizer: adamw({ weightDecay }),
    learningRate,
    schedule: cosine(steps, 1e-5),
    inputs: { image: [batch, 3, size, size] },
    seed,
    ...(training.attack && {
      adversary: {
        attack: attackOf(
          attacks[training.attack],
          ownParameters(attacks[training.attack], { epsilon, stepSize: epsilon / 2, steps: attackSteps }),
        ),
        share,
      },
    }),
  });
  const augmented = training.name === "augmentation";
  const source = augmented ? dataset : fitted(dataset, { kind: "crop", height: size, width: size });
  const batches = new Batches(source, loss, {
    size: batch,
    seed,
    inputs: ["image"],
    // digits are shifted
    augmentation: augmented ? { crop: [size, size] } : {},
  });
  for (let i = 0; i < steps; i++) await trainer.step([await batches.batch(i)]);
  const { network } = await trainer.state();
  trainer.dispose();
  return network;
}

async function wholeSet(dataset: Dataset) {
  const samples = await Promise.all(Array.from({ length: dataset.length }, (_, i) => dataset.sample(i)));
  return { ...collate(samples, loss, ["image"]), ids: samples.map((s) => s.id) };
}

type TestSet = Awaited<ReturnType<typeof wholeSet>>;

async function accuracies(data: DataName, state: StateDict, test: TestSet): Promise<{ accuracy: number; robust: number }> {
  const { epsilon, steps } = config.data[data].robustness;
  const network = networkFor(data);
  const compiled = await compileAttack(
    engine,
    pgd({ norm: "l_inf", epsilon: fraction(epsilon), stepSize: fraction(epsilon) / 4, steps }),
    {
      predictor: {
        images: { image: test.images.image!.shape },
        predict: (graph, images) => network(new Parameters(graph, asConstants(state)).scope, images.image!),
      },
      task: tasks.classification,
    },
  );
  const outcome = await compiled.run({ images: test.images, target: test.target, samples: test.ids, seed: 0 });
  compiled.dispose();
  const mean = (v: Float32Array) => v.reduce((a, b) => a + b, 0) / v.length;
  return { accuracy: mean(outcome.clean.correct), robust: mean(outcome.correct) };
}

async function criticalities(data: DataName, state: StateDict, test: TestSet, seed: number): Promise<Row["layers"]> {
  const { image } = test.images;
  const [count, , height, width] = image!.shape as [number, number, number, number];
  const file = networkModel(networkFor(data), state, { image: image!.shape });
  const probe = await probeOf(file, parseModelSpec({ task: "classification" }), { batch: count, height, width }, engine.evaluate);
  const layers = probe.layers.filter((l) => isWeighted(l.kind));
  const units = layers.flatMap((layer) =>
    Array.from({ length: config.criticality.trials }, (_, trial) => ({ layers: [layer], trial })),
  );
  const weight = tensor("float32", [count], new Array(count).fill(1));
  const batch = {
    images: { image: image! },
    weight,
    labels: test.target as typeof test.target & { type: "int64"; data: BigInt64Array },
  };
  const trials = new Map<string, TrialMeasures[]>();
  const source = schemeSource(config.criticality.reset, `${seed}/reset`);
  for await (const { unit, ...outcome } of measureResets(
    { engine, runs: config.criticality.trials, ...probe },
    [batch],
    units,
    source,
  )) {
    if (!unit) continue;
    const { name } = unit.layers[0]!;
    trials.set(name, [...(trials.get(name) ?? []), trialMeasures(unit.trial, outcome, undefined)]);
  }
  const profile = profileOf(layers.map((l) => layerProfile({ ...l, layers: [l.name] }, trials.get(l.name)!)));
  return profile.layers.map(({ name, stage, criticality }) => ({ name, stage, criticality }));
}
