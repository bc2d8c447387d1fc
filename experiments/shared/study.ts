/** Trains the networks of a configuration, attacks them and keeps one row for each; finished rows are not run again. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Engine } from "../../src/engine/runtime/engine.js";
import { createEngine } from "../../src/engine/runtime/node.js";
import { argmax, clampUnitTensor, unstack } from "../../src/engine/tensor/arrays.js";
import { type Tensor, tensor } from "../../src/engine/tensor/tensor.js";
import { attacks, fgsm } from "../../src/methods/attacks/catalogue/index.js";
import { attackOf, compileAttack, ownParameters } from "../../src/methods/attacks/definition.js";
import { Batches, collate, inMemory, type TrainingBatch } from "../../src/methods/training/batch.js";
import { trainingLoss } from "../../src/methods/training/losses.js";
import { adamw } from "../../src/methods/training/optimizers/index.js";
import { cosine } from "../../src/methods/training/schedules.js";
import { Trainer } from "../../src/methods/training/trainer.js";
import { type Dataset, fitted, type Sample, streetDataset, syntheticDataset } from "../../src/vision/data/index.js";
import { RestorationMetric } from "../../src/vision/metrics/restoration.js";
import { SegmentationMetric } from "../../src/vision/metrics/segmentation.js";
import { findNetwork, type NetworkConfiguration } from "../../src/vision/nn/networks/index.js";
import { asConstants, Parameters } from "../../src/vision/nn/scope.js";
import type { Predictor } from "../../src/vision/predictor.js";
import { tasks } from "../../src/vision/tasks/index.js";
import { fraction } from "./fraction.js";
import { shaken } from "./shake.js";
import { spectrumOf } from "./spectrum.js";
import type { Part, Row, Scores, StudyConfig, Training } from "./types.js";

/** The folder's config.json, or the file named on the command line; its results lie in `results`, or in a folder of the file's name. */
export function readStudy(folder: string): { readonly config: StudyConfig; readonly results: string } {
  const file = process.argv[2] ?? `${folder}/config.json`;
  const name = file.replace(/^.*\//, "").replace(/\.json$/, "");
  return {
    config: JSON.parse(readFileSync(file, "utf8")) as StudyConfig,
    results: `${folder}/results${name === "config" ? "" : `-${name}`}`,
  };
}

/** All rows, the seeds one after the other so that each is a whole comparison; `threads` of the engine from THREADS, else its default. */
export async function runStudy(config: StudyConfig, results: string): Promise<readonly Row[]> {
  mkdirSync(results, { recursive: true });
  const file = `${results}/rows.json`;
  const rows: Row[] = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Row[]) : [];
  const threads = process.env.THREADS === undefined ? {} : { threads: Number(process.env.THREADS) };
  const engine = await createEngine(threads);
  const opened = new Map<string, OpenPart>();
  const keep = (row: Row) => {
    rows.push(row);
    writeFileSync(file, `[\n${rows.map((r) => JSON.stringify(r)).join(",\n")}\n]\n`);
    const { part, network, training, seed, seconds, scores } = row;
    process.stderr.write(`${part}, ${network}, ${training}, seed ${seed}: ${JSON.stringify(scores.clean)}, ${seconds} s\n`);
  };
  for (const seed of config.seeds) {
    for (const [name, part] of Object.entries(config.parts)) {
      if (part.seeds && !part.seeds.includes(seed)) continue;
      if (!opened.has(name)) opened.set(name, await openPart(part));
      const own = opened.get(name)!;
      if (part.task === "restoration" && !rows.some((r) => r.part === name && r.network === "none"))
        keep({
          part: name,
          network: "none",
          training: "none",
          seed: 0,
          steps: 0,
          seconds: 0,
          parameters: 0,
          ...(await attackAll(engine, own, (_, images) => images.image!)),
        });
      for (const [network, configuration] of Object.entries(part.networks)) {
        for (const training of part.trainings) {
          const { steps } = part.training;
          const same = (r: Row) =>
            r.part === name && r.network === network && r.training === training && r.seed === seed && r.steps === steps;
          if (!rows.some(same))
            keep({ part: name, network, training, seed, steps, ...(await trained(engine, own, configuration, training, seed)) });
        }
      }
    }
  }
  await engine.dispose();
  return rows;
}

/** A part of the study with its data at hand. */
interface OpenPart {
  readonly part: Part;
  readonly trainingData: Dataset;
  readonly samples: readonly Sample[];
  readonly test: TrainingBatch;
}

async function openPart(part: Part): Promise<OpenPart> {
  const { task, data, training } = part;
  const { displacement, subframes, shake } = data;
  const [height, width] = data.size;
  const scenes = (half: "training" | "test"): Dataset => {
    const common = { length: data[half], seed: `${data.seed}/${half}` };
    if (data.scenes === "streets") return streetDataset({ height, width, ...common });
    const shapes = syntheticDataset({
      task,
      size: { height, width },
      ...common,
      ...(displacement !== undefined && { displacement }),
      ...(subframes !== undefined && { subframes }),
    });
    return shake === undefined ? shapes : shaken(shapes, shake);
  };
  const cut = fitted(scenes("test"), { kind: "crop", height: training.crop[0], width: training.crop[1] });
  const samples = await Promise.all(Array.from({ length: cut.length }, (_, i) => cut.sample(i)));
  return { part, trainingData: inMemory(scenes("training")), samples, test: collate(samples, lossOf(part), ["image"]) };
}

const lossOf = ({ task, training }: Part) => trainingLoss(task, training.loss);

async function trained(engine: Engine, own: OpenPart, configuration: NetworkConfiguration, training: Training, seed: number) {
  const began = performance.now();
  const { network, inputs } = findNetwork(configuration);
  const { learningRate, weightDecay, betas, clipNorm, batch, crop, steps } = own.part.training;
  const { adversary } = own.part;
  const trainer = await Trainer.create(engine, {
    network,
    loss: lossOf(own.part),
    optimizer: adamw({ betas, weightDecay }),
    learningRate,
    schedule: cosine(steps, 1e-4),
    clipNorm,
    inputs: { image: [batch, 3, ...crop] },
    seed,
    ...(training === "FGSM" && {
      adversary: { attack: fgsm({ norm: "l_inf", epsilon: fraction(adversary.epsilon) }), share: adversary.share },
    }),
  });
  const flips = own.part.data.scenes === "streets" ? (["horizontal"] as const) : (["horizontal", "vertical"] as const);
  const batches = new Batches(own.trainingData, lossOf(own.part), { size: batch, seed, augmentation: { crop, flips }, inputs });
  for (let i = 0; i < steps; i++) await trainer.step([await batches.batch(i)]);
  const { network: state } = await trainer.state();
  trainer.dispose();
  const outcome = await attackAll(engine, own, (graph, images) =>
    network(new Parameters(graph, asConstants(state)).scope, images.image!),
  );
  const parameters = [...state.values()].reduce((sum, { data }) => sum + data.length, 0);
  return { seconds: Math.round((performance.now() - began) / 1000), parameters, ...outcome };
}

/** Scores clean and under every attack; without a network (what comes in goes out) this is how far the attack alone moves the images. */
async function attackAll(engine: Engine, { part, samples, test }: OpenPart, predict: Predictor["predict"]) {
  const predictor: Predictor = { images: { image: test.images.image!.shape }, predict };
  const { names, epsilon, stepSize, steps, loss, spectrum } = part.attacks;
  const scores: Record<string, Scores> = {};
  let spectra: Row["spectra"];
  for (const name of names) {
    for (const count of name === "fgsm" ? [1] : steps) {
      const definition = attacks[name];
      const parameters = ownParameters(definition, { epsilon: fraction(epsilon), loss, stepSize, steps: count });
      const compiled = await compileAttack(engine, attackOf(definition, parameters), { predictor, task: tasks[part.task] });
      const outcome = await compiled.run({
        images: test.images,
        target: test.target,
        samples: samples.map((s) => s.id),
        seed: 0,
      });
      compiled.dispose();
      const label = name === "fgsm" ? "fgsm" : `${name} ${count}`;
      scores.clean ??= score(part, samples, outcome.clean.prediction);
      scores[label] = score(part, samples, outcome.prediction);
      if (label === spectrum)
        spectra = {
          clean: spectrumOf(residual(part, outcome.clean.prediction, test.target)),
          attacked: spectrumOf(residual(part, outcome.prediction, test.target)),
        };
    }
  }
  return { scores, ...(spectra && { spectra }) };
}

/** What is looked at for traces of the network: what is wrong with a restored image, the logits of a segmentation. */
function residual({ task }: Part, prediction: Tensor<"float32">, target: Tensor): Tensor<"float32"> {
  if (task === "segmentation") return prediction;
  const sharp = target.data as Float32Array;
  return tensor(
    "float32",
    prediction.shape,
    prediction.data.map((v, i) => v - sharp[i]!),
  );
}

function score({ task }: Part, samples: readonly Sample[], prediction: Tensor<"float32">): Scores {
  if (task === "segmentation") {
    const metric = new SegmentationMetric(prediction.shape[1]!);
    samples.forEach((s, i) => metric.update(argmax(unstack(prediction, i)), s.target!.data as Int32Array));
    const { mIoU, aAcc } = metric.result();
    return { mIoU, accuracy: aAcc };
  }
  const metric = new RestorationMetric();
  samples.forEach((s, i) => metric.update(clampUnitTensor(unstack(prediction, i)), s.target as Tensor<"float32">));
  const { psnr, ssim } = metric.result();
  return { psnr, ssim };
}
