import { readFileSync } from "node:fs";
import { parseModel } from "../../src/engine/onnx/read.js";
import type { Engine } from "../../src/engine/runtime/engine.js";
import { type Tensor, tensor } from "../../src/engine/tensor/tensor.js";
import type { AttackedModel } from "../../src/methods/attacks/attacked-model.js";
import type { AttackBatch } from "../../src/methods/attacks/batch.js";
import { predictionGraph } from "../../src/methods/attacks/evaluation-graph.js";
import type { Sample } from "../../src/vision/data/dataset.js";
import { resizeImage } from "../../src/vision/data/fit.js";
import { syntheticDataset } from "../../src/vision/data/index.js";
import { readImage } from "../../src/vision/data/node/image-file.js";
import { modelPredictor } from "../../src/vision/spec/model-predictor.js";
import { type ModelSpec, parseModelSpec } from "../../src/vision/spec/model-spec.js";
import { tasks } from "../../src/vision/tasks/index.js";
import { config, type SubjectName } from "./config.js";

/** A model with the batches on which it is attacked. */
export interface Subject {
  readonly modelBytes: Uint8Array;
  readonly classes: number;
  readonly ignore: readonly number[];
  readonly attacked: AttackedModel;
  readonly batches: readonly AttackBatch[];
}

export const subjects: Readonly<Record<SubjectName, (engine: Engine) => Promise<Subject>>> = { segmenter, detector };

/** The network that was trained here, on scenes it has not seen, against their true labels. */
async function segmenter(engine: Engine): Promise<Subject> {
  const { size, heldOut } = config;
  const { batch } = heldOut;
  const model = await load("fixtures/models/segmenter.onnx", "fixtures/models/segmenter.spec.json");
  const dataset = syntheticDataset({ task: "segmentation", size, length: heldOut.samples, seed: heldOut.seed });
  const batches: AttackBatch[] = [];
  for (let i = 0; i < dataset.length; i += batch) {
    const samples = await Promise.all(Array.from({ length: batch }, (_, b) => dataset.sample(i + b)));
    batches.push(batchOf(samples));
  }
  return { ...model, ...(await attackedModel(engine, model, { batch, height: size, width: size })), classes: 9, batches };
}

/** A published text detector on real pictures, against its own clean prediction. */
async function detector(engine: Engine): Promise<Subject> {
  const { model: file, spec, images, height, width } = config.detector;
  const model = await load(file, spec);
  const read = await Promise.all(images.map(async (path) => resizeImage(await readImage(path), height, width)));
  const place = await attackedModel(engine, model, { batch: images.length, height, width });
  const image = stacked(read);
  const program = await engine.compile(predictionGraph(place.attacked));
  const { prediction } = await program.run({ image });
  program.dispose();
  const target = labels(prediction as Tensor<"float32">);
  return { ...model, ...place, classes: 2, batches: [{ images: { image }, target, samples: images, seed: 0 }] };
}

async function load(modelFile: string, specFile: string) {
  const spec = parseModelSpec(JSON.parse(readFileSync(specFile, "utf8")), specFile);
  return { modelBytes: readFileSync(modelFile), spec, ignore: spec.ignore };
}

async function attackedModel(engine: Engine, { modelBytes, spec }: { modelBytes: Uint8Array; spec: ModelSpec }, size: Size) {
  const predictor = await modelPredictor(parseModel(modelBytes), spec, size, engine.evaluate);
  return { attacked: { predictor, task: tasks.segmentation, ignore: spec.ignore } };
}

interface Size {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

function batchOf(samples: readonly Sample[]): AttackBatch {
  const [height, width] = samples[0]!.target!.shape as [number, number];
  const truth = samples.flatMap((s) => Array.from(s.target!.data as Int32Array, BigInt));
  return {
    images: { image: stacked(samples.map((s) => s.inputs.image!)) },
    target: tensor("int64", [samples.length, height, width], truth),
    samples: samples.map((s) => s.id),
    seed: 0,
  };
}

function stacked(images: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const { shape, data } = images[0]!;
  const all = new Float32Array(images.length * data.length);
  for (const [i, image] of images.entries()) all.set(image.data, i * data.length);
  return tensor("float32", [images.length, ...shape], all);
}

/** Class of highest logit per pixel: [B, K, H, W] to int64 [B, H, W]. */
export function labels({ shape, data }: Tensor<"float32">): Tensor<"int64"> {
  const [batch, classes, height, width] = shape as [number, number, number, number];
  const pixels = height * width;
  const found = tensor("int64", [batch, height, width]);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < pixels; i++) {
      const at = b * classes * pixels + i;
      let best = 0;
      for (let k = 1; k < classes; k++) if (data[at + k * pixels]! > data[at + best * pixels]!) best = k;
      found.data[b * pixels + i] = BigInt(best);
    }
  }
  return found;
}
