import type { Engine } from "../../engine/runtime/engine.js";
import { attackOf } from "../../methods/attacks/definition.js";
import type { AdversaryOptions } from "../../methods/training/adversary.js";
import { Batches, inMemory } from "../../methods/training/batch.js";
import { type TrainingLoss, trainingLoss } from "../../methods/training/losses.js";
import { adamw, type Optimizer, sgd } from "../../methods/training/optimizers/index.js";
import type { ParameterGroup } from "../../methods/training/parameter-groups.js";
import { constantRate, cosine, restarts, type Schedule, stepwise, warmup } from "../../methods/training/schedules.js";
import { Trainer, type TrainerOptions, type TrainingState } from "../../methods/training/trainer.js";
import { corruptedDataset } from "../../vision/corruptions/index.js";
import { type Dataset, grayscale, syntheticDataset } from "../../vision/data/index.js";
import { openDataset } from "../../vision/data/node/open.js";
import { streetDataset } from "../../vision/data/synthetic/street.js";
import type { InputShapes } from "../../vision/nn/model.js";
import { findNetwork, type NamedNetwork } from "../../vision/nn/networks/index.js";
import { taskNames, tasks } from "../../vision/tasks/index.js";
import { readCorruption } from "../data/corruption.js";
import { tellingConversions } from "../data/tell-conversions.js";
import { asConfiguration } from "../networks/configuration.js";
import { noPlugins, type Plugins } from "../plugins/plugins.js";
import { type AdversaryConfig, ConfigError, type DataConfig, type TrainConfig, type TrainSettings } from "./config.js";

/** A network with what a trainer must know to feed it. */
export type TrainedNetwork = Omit<NamedNetwork, "configuration">;

/** A configuration made real. */
export interface Training<N extends TrainedNetwork = TrainedNetwork> {
  readonly named: N;
  readonly loss: TrainingLoss;
  readonly dataset: Dataset;
  readonly batches: Batches;
  readonly evaluation: Dataset | undefined;
  /** Height and width of the pictures in training. */
  readonly size: readonly [height: number, width: number];
}

/** Opens the data and finds the network. @param onNote told what a user should know of the pictures. @throws ConfigError, DataError, TrainingError, ParameterError */
export function prepareTraining(config: TrainConfig, onNote?: (sentence: string) => void): Promise<Training<NamedNetwork>> {
  return trainingOf(config, findNetwork(asConfiguration(config.network)), onNote);
}

/** Opens the data for a network. @throws ConfigError, DataError, TrainingError */
export async function trainingOf<N extends TrainedNetwork>(
  config: TrainSettings,
  named: N,
  onNote: (sentence: string) => void = () => {},
): Promise<Training<N>> {
  const open = async (data: DataConfig) => {
    const color = tellingConversions(await openConfigured(data, config.task), "read in full", onNote);
    return inMemory(named.imageChannels === 1 ? grayscale(color) : color);
  };
  const dataset = await open(config.data);
  const evaluation = config.evaluation && (await open(config.evaluation.data));
  const ignore = dataset.ignoreLabel === undefined ? [] : [dataset.ignoreLabel];
  const loss = trainingLoss(config.task, config.loss, ignore);
  const size = config.crop ?? (await sizeOfFirst(dataset));
  demandMultiples("crop", size, named);
  const augmentation = { flips: config.flips, ...(config.crop && { crop: config.crop }) };
  const batches = new Batches(dataset, loss, { size: config.batch, seed: config.seed, augmentation, inputs: named.inputs });
  return { named, loss, dataset, batches, evaluation, size };
}

/** @throws ConfigError where the network does not take pictures of this size. */
export function demandMultiples(field: string, size: readonly number[], { multipleOf }: TrainedNetwork): void {
  const uneven = size.find((side) => side % multipleOf !== 0);
  if (uneven !== undefined)
    throw new ConfigError(`${field}: this network takes sides that are multiples of ${multipleOf}, and ${uneven} is none.`);
}

/** The images of the network for a batch. */
export function inputShapes(
  { inputs, imageChannels }: TrainedNetwork,
  batch: number,
  size: readonly [number, number],
): InputShapes {
  return Object.fromEntries(inputs.map((name) => [name, [batch, imageChannels, ...size]]));
}

export function createTrainer(
  engine: Engine,
  config: TrainSettings,
  training: Training,
  from: TrainingState | undefined,
  { attacks }: Pick<Plugins, "attacks"> = noPlugins,
) {
  const { adversary, clipNorm, average } = config;
  const options: TrainerOptions = {
    network: training.named.network,
    loss: training.loss,
    optimizer: optimizerOf(config),
    learningRate: config.optimizer.learningRate,
    schedule: scheduleOf(config),
    inputs: inputShapes(training.named, config.batch, training.size),
    pieces: config.pieces,
    seed: config.seed,
    groups: groupsOf(config),
    ...(clipNorm !== undefined && { clipNorm }),
    ...(average !== undefined && { average }),
    ...(adversary && { adversary: adversaryOf(adversary, attacks) }),
  };
  return Trainer.create(engine, options, from);
}

export const adversaryOf = (
  { attack, share, trades, ...parameters }: AdversaryConfig,
  attacks: Plugins["attacks"],
): AdversaryOptions => ({
  attack: attackOf(attacks[attack]!, parameters),
  share,
  ...(trades && { trades }),
});

/** (zod's optional fields may hold undefined where ours may be absent; JSON knows no difference.) */
const groupsOf = ({ optimizer }: TrainSettings) => (optimizer.groups ?? []) as readonly ParameterGroup[];

function optimizerOf({ optimizer }: TrainSettings): Optimizer {
  return optimizer.name === "adamw" ? adamw(optimizer) : sgd(optimizer);
}

function scheduleOf({ schedule, steps, warmup: rise }: TrainSettings): Schedule {
  const rate = ((): Schedule => {
    switch (schedule.kind) {
      case "constant":
        return constantRate;
      case "cosine":
        return cosine(steps, schedule.floor);
      case "step":
        return stepwise(schedule.milestones, schedule.factor);
      case "restarts":
        return restarts(schedule.cycles);
    }
  })();
  return rise > 0 ? warmup(rise, rate) : rate;
}

const exposed = taskNames.filter((name) => tasks[name].synthetic.exposures);

/** The data that a configuration describes. @throws ConfigError, DataError */
export async function openConfigured(data: DataConfig, task: TrainConfig["task"]): Promise<Dataset> {
  const dataset = await openClean(data, task);
  return data.corruption === undefined ? dataset : corruptedDataset(dataset, await readCorruption(data.corruption));
}

async function openClean(data: DataConfig, task: TrainConfig["task"]): Promise<Dataset> {
  if (data.kind === "synthetic") {
    const { size, length, seed, displacement, subframes, averaging } = data;
    if (!tasks[task].synthetic.exposures && (subframes !== undefined || averaging !== undefined))
      throw new ConfigError(
        `data: subframes and averaging make the exposures of ${exposed.join(", ")}; ${task} has none, leave them out.`,
      );
    return syntheticDataset({
      task,
      size,
      length,
      seed,
      ...(displacement !== undefined && { displacement }),
      ...(subframes !== undefined && { subframes }),
      ...(averaging !== undefined && { averaging }),
    });
  }
  if (data.kind === "streets") {
    const { kind, corruption: _, ...options } = data;
    const streets = streetDataset(options);
    if (task !== streets.task) throw new ConfigError(`data: ${kind} are scenes for ${streets.task}, not for ${task}.`);
    return streets;
  }
  const { path, format, split, variant } = data;
  return openDataset(path, {
    task,
    ...(format && { format }),
    ...(split !== undefined && { split }),
    ...(variant !== undefined && { variant }),
  });
}

async function sizeOfFirst(dataset: Dataset): Promise<[number, number]> {
  const { inputs } = await dataset.sample(0);
  return Object.values(inputs)[0]!.shape.slice(-2) as [number, number];
}
