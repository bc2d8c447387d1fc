import { existsSync } from "node:fs";
import type { Graph, Value } from "../../engine/graph/graph.js";
import { nodeAs } from "../../engine/graph/operator.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { writeModel } from "../../engine/onnx/write.js";
import { BatchNormalization } from "../../engine/operators/normalization/batch-normalization.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { summarize } from "../../engine/summary/summary.js";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import { tensor, toNumbers } from "../../engine/tensor/tensor.js";
import type { Network } from "../../vision/nn/model.js";
import { type Assumption, assumptions } from "../../vision/spec/assumptions.js";
import { importedNetwork } from "../../vision/spec/imported-network.js";
import { completeSpec, fixedModel } from "../../vision/spec/model-predictor.js";
import { type ModelSpec, type ModelSpecInput, parseModelSpec } from "../../vision/spec/model-spec.js";
import { sidecarOf } from "../../vision/spec/sidecar.js";
import { tasks } from "../../vision/tasks/index.js";
import { readModelAloud } from "../read-model.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { adversaryText } from "./adversary-text.js";
import { type Training, trainingOf } from "./build.js";
import { ConfigError, type ImportedTrainConfig, readJson } from "./config.js";
import { type TrainResult, trainSummary } from "./export.js";
import type { TrainPlan, TrainRecord } from "./run-train.js";

/** A model of somebody's own, made trainable by its own initializers. */
export interface ImportedTraining {
  readonly training: Training;
  readonly file: OnnxModel;
  readonly spec: ModelSpec;
  /** What a user should know of it, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Opens a model for training: every floating-point initializer that `trained` names and `frozen` does not. Running statistics of batch normalization stay as they
 * are: the model is trained in the mode in which it was exported.
 *
 * @throws ConfigError, SpecError, ModelError, ParameterError
 */
export async function importedTraining(
  engine: Engine,
  config: ImportedTrainConfig,
  onNote?: (sentence: string) => void,
): Promise<ImportedTraining> {
  const file = await readModelAloud(config.model);
  const said = importedSpec(config);
  const spec = completeSpec(file, said.spec);
  const roles: readonly string[] = tasks[config.task].roles;
  if (roles.length > 1)
    throw new ConfigError(
      `model: ${config.task} takes two images, and imported models are trained on one; train a network of ours.`,
    );
  const opened = { inputs: roles, imageChannels: 3, multipleOf: spec.size.rule === "multiple" ? spec.size.of : 1 };
  // The pictures' size is known once the data are open; the network is not asked for before that.
  const models: Graph[] = [];
  const frozen = [...config.frozen];
  const network = {
    ...opened,
    network: (p: Parameters<Network>[0], ...images: Value[]) =>
      importedNetwork(models, { spec, trained: config.trained, frozen })(p, ...images),
  };
  const training = await trainingOf(config, network, onNote);
  const [height, width] = training.size;
  if (spec.size.rule === "fixed" && (spec.size.height !== height || spec.size.width !== width))
    throw new ConfigError(
      `crop: ${config.model} takes images of ${spec.size.height}x${spec.size.width} (height x width) only, not ${height}x${width}.`,
    );
  const attacked = config.adversary ? Math.max(1, Math.round(config.adversary.share * config.batch)) : config.batch;
  const batches = new Set([config.batch, attacked, config.evaluation?.batch ?? config.batch, 1]);
  const keep = { keep: "weights" } as const;
  for (const batch of batches)
    models.push(await fixedModel(file, spec, { batch, height, width }, (m) => engine.evaluate(m), keep));
  const statistics = statisticsOf(models[0]!);
  frozen.push(...statistics);
  const { batchNormalization } = summarize(models[0]!);
  return {
    training,
    file,
    spec,
    notes: [
      ...(said.assumed.length > 0 ? [assumedText(config, said.assumed)] : []),
      ...(statistics.length > 0
        ? [`${statistics.length} running statistics of batch normalization stay as they are; its scales and shifts are trained.`]
        : []),
      ...(batchNormalization.kind === "none" && batchNormalization.likelyFolded
        ? ["Batch normalization was folded into the convolutions by the exporter: they are trained without it."]
        : []),
    ],
  };
}

/** Names of means and variances. */
function statisticsOf(graph: Graph): string[] {
  const names = new Map([...graph.values].map(([name, v]) => [v, name]));
  return graph.nodes.flatMap((node) => {
    const layer = nodeAs(BatchNormalization, node);
    return layer ? layer.inputs.slice(3).flatMap((v) => (v?.isWeight ? (names.get(v) ?? []) : [])) : [];
  });
}

/** What a model takes and yields, and what of it the file beside it does not say. */
export interface ImportedSpec {
  readonly spec: ModelSpec;
  readonly assumed: readonly Assumption[];
}

/**
 * The specification of the model that a configuration names: the sidecar file, or the one that is named; the task is the configuration's.
 *
 * @throws ConfigError where the file is no JSON, SpecError where it is no specification.
 */
export function importedSpec(config: ImportedTrainConfig): ImportedSpec {
  const file = specFile(config);
  const written = config.spec !== undefined || existsSync(file) ? (readJson(file) as Partial<ModelSpecInput>) : {};
  const said = { ...written, task: config.task };
  const spec = parseModelSpec(said, file);
  return { spec, assumed: assumptions(said as ModelSpecInput, spec) };
}

const specFile = ({ model, spec }: ImportedTrainConfig): string => spec ?? sidecarOf(model);

/** One sentence that names what is assumed, and the fields that settle it. */
function assumedText(config: ImportedTrainConfig, assumed: readonly Assumption[]): string {
  const list = assumed.map(({ what, value, field }) => `${what} ${value} ("${field}")`).join(", ");
  return `Assumed, since ${specFile(config)} does not say it: ${list}; faultline doctor tests it, and with --write writes the file.`;
}

/**
 * Writes the user's own file with new weights: the same nodes, names, opset and dynamic axes. Beside it the weights alone (model.safetensors), the
 * specification, summary.json and a card.
 */
export function exportImported(
  { config, version }: TrainPlan<ImportedTrainConfig>,
  { file, spec, notes, training }: ImportedTraining,
  result: TrainResult,
  run: RunDirectory<TrainRecord>,
): void {
  const { weights, steps, evaluated } = result;
  const initializers = new Map(file.graph.initializers);
  for (const [name, t] of weights) {
    const old = initializers.get(name)!;
    initializers.set(name, old.type === t.type ? { ...t, shape: old.shape } : tensor(old.type, old.shape, toNumbers(t)));
  }
  run.write("model.onnx", writeModel({ ...file, graph: { ...file.graph, initializers } }));
  run.write("model.safetensors", writeSafetensors(weights));
  const json = (name: string, value: unknown) => run.write(name, `${JSON.stringify(value, undefined, 2)}\n`);
  json("model.spec.json", spec);
  json("summary.json", trainSummary(result, run.records));
  const measured = Object.entries(evaluated?.evaluation ?? {});
  const { adversary } = config;
  run.write(
    "card.md",
    `${[
      `# ${config.model}, trained further for ${config.task}`,
      "",
      `The same file with new weights: ${weights.size} tensors were trained for ${steps} steps of ${config.batch * config.pieces} samples (${training.dataset.describe()}).`,
      ...notes,
      adversary ? `${adversaryText(adversary)}.` : "It was not trained against attacks.",
      "",
      ...(measured.length > 0
        ? ["| metric | value |", "|---|---|", ...measured.map(([name, value]) => `| ${name} | ${value.toFixed(4)} |`)]
        : ["Not evaluated on other data than it was trained on."]),
      "",
      `Faultline ${version}, seed ${config.seed}.`,
    ].join("\n")}\n`,
  );
}
