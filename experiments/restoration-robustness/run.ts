/**
 * Trains small restoration networks on synthetic motion blur, plainly and against FGSM, and attacks them. Finished rows are kept in
 * results/rows.json, so that an interrupted run goes on.
 *
 * Run from the repository's root: npx tsx experiments/restoration-robustness/run.ts
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Engine } from "../../src/engine/runtime/engine.js";
import { createEngine } from "../../src/engine/runtime/node.js";
import { clampUnitTensor, unstack } from "../../src/engine/tensor/arrays.js";
import type { Tensor } from "../../src/engine/tensor/tensor.js";
import { attacks, fgsm } from "../../src/methods/attacks/catalogue/index.js";
import { compileAttack } from "../../src/methods/attacks/compile-attack.js";
import { lInf } from "../../src/methods/attacks/norms/l-inf.js";
import { Batches, collate, inMemory } from "../../src/methods/training/batch.js";
import { trainingLoss } from "../../src/methods/training/losses.js";
import { adamw } from "../../src/methods/training/optimizers/index.js";
import { cosine } from "../../src/methods/training/schedules.js";
import { Trainer } from "../../src/methods/training/trainer.js";
import { fitted, syntheticDataset } from "../../src/vision/data/index.js";
import { RestorationMetric } from "../../src/vision/metrics/restoration.js";
import { findNetwork } from "../../src/vision/nn/networks/index.js";
import { asConstants, Parameters } from "../../src/vision/nn/scope.js";
import type { Predictor } from "../../src/vision/predictor.js";
import { tasks } from "../../src/vision/tasks/index.js";
import { writeReport } from "./report.js";
import type { Config, Row, Score } from "./types.js";

const folder = "experiments/restoration-robustness";
const config = JSON.parse(readFileSync(`${folder}/config.json`, "utf8")) as Config;
const resultsFile = `${folder}/results/rows.json`;
mkdirSync(`${folder}/results`, { recursive: true });
const rows: Row[] = existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, "utf8")) as Row[]) : [];

const loss = trainingLoss("restoration", config.training.loss);
const { crop, batch } = config.training;
const synthetic = (part: "training" | "test") =>
  syntheticDataset({
    task: "restoration",
    size: config.data.size,
    length: config.data[part],
    displacement: config.data.displacement,
    subframes: config.data.subframes,
    seed: `${config.data.seed}/${part}`,
  });
const trainingData = inMemory(synthetic("training"));
const testData = fitted(synthetic("test"), { kind: "crop", height: crop, width: crop });
const testSamples = await Promise.all(Array.from({ length: testData.length }, (_, i) => testData.sample(i)));
const test = collate(testSamples, loss, ["image"]);

const jobs = [
  ...config.seeds.flatMap((seed) =>
    Object.keys(config.networks).map((network) => ({ network, seed, steps: config.training.steps })),
  ),
  ...config.longer.networks.map((network) => ({ network, seed: config.seeds[0]!, steps: config.longer.steps })),
].flatMap((job) => (["standard", "FGSM"] as const).map((training) => ({ ...job, training })));

const engine = await createEngine();
if (!rows.some((r) => r.network === "none")) {
  const scores = await attack(engine, (_, images) => images.image!);
  rows.push({ network: "none", training: "none", seed: 0, steps: 0, seconds: 0, scores });
}
for (const job of jobs) {
  if (rows.some((r) => r.network === job.network && r.training === job.training && r.seed === job.seed && r.steps === job.steps))
    continue;
  const began = performance.now();
  const { network } = findNetwork(config.networks[job.network]!);
  const state = await train(engine, job);
  const scores = await attack(engine, (graph, images) => network(new Parameters(graph, asConstants(state)).scope, images.image!));
  const seconds = Math.round((performance.now() - began) / 1000);
  rows.push({ ...job, seconds, scores });
  writeFileSync(resultsFile, `${JSON.stringify(rows, undefined, 1)}\n`);
  const { network: name, training, steps, seed } = job;
  process.stderr.write(
    `${name}, ${training}, ${steps} steps, seed ${seed}: clean ${scores.clean!.psnr.toFixed(2)} dB, ${seconds} s\n`,
  );
}
await engine.dispose();
await writeReport(`${folder}/results`, config, rows);

async function train(engine: Engine, { network: name, training, seed, steps }: (typeof jobs)[number]) {
  const { network, inputs } = findNetwork(config.networks[name]!);
  const { learningRate, weightDecay, betas, clipNorm } = config.training;
  const trainer = await Trainer.create(engine, {
    network,
    loss,
    optimizer: adamw({ betas, weightDecay }),
    learningRate,
    schedule: cosine(steps, 1e-4),
    clipNorm,
    inputs: { image: [batch, 3, crop, crop] },
    seed,
    ...(training === "FGSM" && {
      adversary: { attack: fgsm({ norm: lInf, epsilon: fraction(config.adversary.epsilon) }), share: config.adversary.share },
    }),
  });
  const augmentation = { crop: [crop, crop], flips: ["horizontal", "vertical"] } as const;
  const batches = new Batches(trainingData, loss, { size: batch, seed, augmentation, inputs });
  for (let i = 0; i < steps; i++) await trainer.step([await batches.batch(i)]);
  const { network: state } = await trainer.state();
  trainer.dispose();
  return state;
}

/** Clean and attacked. Without a network (what comes in goes out) this is how far the attack alone moves the blurred images. */
async function attack(engine: Engine, predict: Predictor["predict"]): Promise<Record<string, Score>> {
  const predictor: Predictor = { images: { image: test.images.image!.shape }, predict };
  const { names, epsilon, stepSize, steps: counts, loss: raised } = config.attacks;
  const scores: Record<string, Score> = {};
  for (const name of names) {
    for (const count of counts) {
      const definition = attacks[name]({ norm: lInf, epsilon: fraction(epsilon), stepSize, steps: count, loss: raised });
      const compiled = await compileAttack(engine, definition, { predictor, task: tasks.restoration });
      const outcome = await compiled.run({
        images: test.images,
        target: test.target,
        samples: testSamples.map((s) => s.id),
        seed: 0,
      });
      scores.clean ??= score(outcome.clean.prediction);
      scores[`${name} ${count}`] = score(outcome.prediction);
      compiled.dispose();
    }
  }
  return scores;
}

/** PSNR and SSIM of restored test images, clamped to [0, 1]. */
function score(restored: Tensor<"float32">): Score {
  const metric = new RestorationMetric();
  testSamples.forEach((s, i) => {
    metric.update(clampUnitTensor(unstack(restored, i)), s.target as Tensor<"float32">);
  });
  const { psnr, ssim } = metric.result();
  return { psnr, ssim };
}

function fraction(text: string): number {
  const [above, below = "1"] = text.split("/");
  return Number(above) / Number(below);
}
