import { foldBatchNormalization } from "../../engine/compile/fold-batch-normalization.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { throughSensor } from "../../methods/sensor/pipeline.js";
import { type Sensor, sensor } from "../../methods/sensor/sensor.js";
import type { ParameterGroup } from "../../methods/training/parameter-groups.js";
import { findNetwork } from "../../vision/nn/networks/index.js";
import { importedNetwork } from "../../vision/spec/imported-network.js";
import { fixedModel } from "../../vision/spec/model-predictor.js";
import { parseModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { asConfiguration } from "../networks/configuration.js";
import { readModelAloud } from "../read-model.js";
import { demandMultiples, type TrainedNetwork, type Training, trainingOf } from "../train/build.js";
import { ConfigError, readJson } from "../train/config.js";
import type { SensorConfig } from "./config.js";

/** A pipeline made real: sensor, network and data. */
export interface Pipeline {
  readonly eye: Sensor;
  readonly training: Training;
  /** The training's settings, with those of the layout among the optimizer's. */
  readonly settings: SensorConfig;
}

/** What becomes of the layout: it learns, or it stays uniform and is what the learned one is compared with. */
export type Kind = "learned" | "uniform";

/** @throws ConfigError, DataError, SensorError, TrainingError */
export async function buildPipeline(
  engine: Engine,
  config: SensorConfig,
  kind: Kind,
  onNote?: (sentence: string) => void,
): Promise<Pipeline> {
  const { layout, height, width, integration, theta, frozen, learningRate } = config.sensor;
  // The uniform sensor is the same one with a layout that never leaves 0: same samples, same network, same batches.
  const learned = kind === "learned";
  const eye = sensor({ layout, height, width, integration, ...(learned && { frozen, ...(theta && { theta }) }) });
  if (learned && frozen.length === eye.layout.parameters.length)
    throw new ConfigError("sensor.frozen: all parameters are frozen, so there is no layout to learn.");
  const behind = await networkBehind(engine, config);
  demandMultiples("sensor", [height, width], behind);
  const network = throughSensor(eye, behind.network, tasks[config.task].extent === "image" ? "image-wise" : "pixel-wise");
  const training = await trainingOf(config, { ...behind, network, multipleOf: 1 }, onNote);
  const group: ParameterGroup = {
    of: ["sensor.raw"],
    learningRate: learned ? (learningRate ?? config.optimizer.learningRate) : 0,
    weightDecay: 0,
  };
  const optimizer = { ...config.optimizer, groups: [...(config.optimizer.groups ?? []), group] } as SensorConfig["optimizer"];
  return { eye, training, settings: { ...config, optimizer } };
}

async function networkBehind(engine: Engine, config: SensorConfig): Promise<TrainedNetwork> {
  const { network, task, sensor: size } = config;
  if (!(typeof network === "object" && "onnx" in network)) return findNetwork(asConfiguration(network));
  const path = network.spec ?? network.onnx.replace(/\.onnx$/, ".spec.json");
  const spec = parseModelSpec(readJson(path), path);
  if (spec.task !== task) throw new ConfigError(`${path} says that the model is for ${spec.task}, but the task here is ${task}.`);
  const file = await readModelAloud(network.onnx);
  const batches = new Set([config.batch, config.evaluation?.batch ?? config.batch, 1]);
  const fixed = await Promise.all(
    [...batches].map((batch) =>
      fixedModel(file, spec, { batch, height: size.height, width: size.width }, engine.evaluate, { keep: "weights" }),
    ),
  );
  const { rule } = spec.size;
  return {
    network: importedNetwork(fixed.map(foldBatchNormalization), { spec, trained: network.trained }),
    inputs: ["image"],
    imageChannels: 3,
    multipleOf: rule === "multiple" ? spec.size.of : 1,
  };
}
