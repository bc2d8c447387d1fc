/**
 * Trains the segmenter of this experiment on synthetic scenes and writes fixtures/models/segmenter.onnx with its specification.
 *
 *     npx tsx experiments/attack-effectiveness/train.ts [--out fixtures/models/segmenter.onnx]
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { writeModel } from "../../src/engine/onnx/write.js";
import { createEngine } from "../../src/engine/runtime/node.js";
import { Batches } from "../../src/methods/training/batch.js";
import { trainingLoss } from "../../src/methods/training/losses.js";
import { adamw } from "../../src/methods/training/optimizers/index.js";
import { cosine, warmup } from "../../src/methods/training/schedules.js";
import { Trainer } from "../../src/methods/training/trainer.js";
import { syntheticDataset } from "../../src/vision/data/index.js";
import type { StateDict } from "../../src/vision/nn/checkpoints/state-dict.js";
import { networkModel } from "../../src/vision/nn/model.js";
import { findNetwork } from "../../src/vision/nn/networks/index.js";
import { config, type Stage } from "./config.js";

const { values } = parseArgs({ options: { out: { type: "string", default: "fixtures/models/segmenter.onnx" } } });
const { size, training } = config;
const { network } = findNetwork(config.network);
const dataset = syntheticDataset({ task: "segmentation", size, length: training.samples, seed: training.seed });
const loss = trainingLoss("segmentation");
await using engine = await createEngine();

/** Trains one stage from the weights of the one before; none: freshly initialized. */
async function train(stage: Stage, from: StateDict | undefined): Promise<StateDict> {
  const batches = new Batches(dataset, loss, {
    size: training.batch,
    seed: training.seed,
    augmentation: { crop: [stage.crop, stage.crop], flips: ["horizontal", "vertical"] },
    inputs: ["image"],
  });
  const options = {
    network,
    loss,
    optimizer: adamw({ weightDecay: training.weightDecay }),
    learningRate: stage.learningRate,
    schedule: warmup(100, cosine(stage.steps, 0.001)),
    inputs: { image: [training.batch, 3, stage.crop, stage.crop] },
    clipNorm: 1,
    seed: training.seed,
  };
  const trainer = await Trainer.create(engine, options, from && { step: 0, network: from, optimizer: {} });
  const begin = performance.now();
  let shown = 0;
  for (let i = 0; i < stage.steps; i++) {
    shown += (await trainer.step([await batches.batch(i)])).loss;
    if ((i + 1) % 100 === 0) {
      console.log(`step ${i + 1}: loss ${(shown / 100).toFixed(3)}, ${((performance.now() - begin) / 1000).toFixed(0)} s`);
      shown = 0;
    }
  }
  const { network: weights } = await trainer.state();
  trainer.dispose();
  return weights;
}

let weights: StateDict | undefined;
for (const stage of training.stages) weights = await train(stage, weights);

await writeFile(values.out, writeModel(networkModel(network, weights!, { image: [1, 3, size, size] })));
const classes = dataset.task === "segmentation" ? dataset.classNames : [];
const spec = { task: "segmentation", range: "0..1", output: { meaning: "logits" }, classes };
await writeFile(values.out.replace(/\.onnx$/, ".spec.json"), `${JSON.stringify(spec, null, 2)}\n`);
