import { lower } from "../../engine/compile/lower.js";
import type { Graph } from "../../engine/graph/graph.js";
import type { DeviceTensor, Engine, Feeds, Program } from "../../engine/runtime/engine.js";
import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { type Network, predictionShape } from "../../vision/nn/model.js";
import { Adversary, type AdversaryOptions, type Weights } from "./adversary.js";
import type { TrainingBatch } from "./batch.js";
import { checkBatch, type ExpectedBatch } from "./check-batch.js";
import { TrainingError } from "./error.js";
import type { FlatLayout } from "./flat-parameters.js";
import type { TrainingLoss } from "./losses.js";
import type { Optimizer } from "./optimizers/optimizer.js";
import { constantRate, type Schedule } from "./schedules.js";
import {
  accumulateStep,
  applyStep,
  type NetworkLayout,
  networkLayout,
  optimizerOf,
  scalarName,
  type TrainStepOptions,
  trainStep,
} from "./train-step.js";

export interface TrainerOptions extends TrainStepOptions {
  readonly network: Network;
  readonly loss: TrainingLoss;
  readonly optimizer: Optimizer;
  /** Base rate, which the schedule multiplies. */
  readonly learningRate: number;
  /** Default constant. */
  readonly schedule?: Schedule;
  /** Batches whose mean gradient makes one step; default 1. */
  readonly pieces?: number;
  readonly adversary?: AdversaryOptions;
  /** Of initial parameters and of the attacks' random starts. */
  readonly seed: number | string;
}

/** What came of a step. */
export interface StepReport {
  /** Steps done, this one included. */
  readonly step: number;
  readonly loss: number;
  /** 2-norm of the whole gradient, before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
}

/** Everything that a training run carries from step to step. */
export interface TrainingState {
  readonly step: number;
  /** Parameters and buffers by name. */
  readonly network: StateDict;
  /** The parameters' moving average with the buffers, where one is kept. */
  readonly average?: StateDict;
  /** The optimizer's vectors by its names for them, each by parameter. */
  readonly optimizer: Readonly<Record<string, StateDict>>;
}

/** Which weights are meant: the last ones, or their moving average. */
export type WeightsKind = "last" | "average";

/**
 * Trains a network step by step. Parameters, running statistics and optimizer state stay with the engine; only images go in and only
 * losses come out.
 *
 * @example
 * const trainer = await Trainer.create(engine, {
 *   network, loss: trainingLoss("restoration", "psnr"), optimizer: adamw(), learningRate: 1e-3,
 *   inputs: { image: [8, 3, 64, 64] }, seed: 0,
 * });
 * for (let i = 0; i < 1000; i++) console.log((await trainer.step([await batches.batch(i)])).loss);
 * const { network: weights } = await trainer.state();
 */
export class Trainer {
  #step: number;

  private constructor(
    private readonly engine: Engine,
    readonly options: TrainerOptions,
    readonly layout: NetworkLayout,
    private readonly programs: Programs,
    private readonly vectors: Record<string, DeviceTensor>,
    private readonly expected: ExpectedBatch,
    step: number,
  ) {
    this.#step = step;
  }

  /**
   * @param from where to go on; default: freshly initialized parameters. The same options, state and batches give the same bits.
   * @throws TrainingError when the state does not fit the network or the optimizer.
   */
  static async create(engine: Engine, options: TrainerOptions, from?: TrainingState): Promise<Trainer> {
    const { network, loss, optimizer, inputs, pieces = 1, adversary } = options;
    if (!Number.isInteger(pieces) || pieces < 1)
      throw new TrainingError(`A step takes a whole number of batches of at least 1, not ${pieces}.`);
    const layout = networkLayout(network, options);
    const vectors = await uploadAll(engine, initialVectors(options, layout, from));
    const compile = (graph: Graph) => engine.compile(lower(graph, engine.info.provider));
    const { trades } = adversary ?? {};
    const programs: Programs = {
      ...(pieces === 1
        ? { whole: await compile(trainStep(network, loss, optimizer, { ...options, ...(trades && { trades }) })) }
        : {
            accumulate: await compile(accumulateStep(network, loss, inputs, layout, trades)),
            apply: await compile(applyStep(network, optimizer, options)),
          }),
      ...(adversary && { adversary: await Adversary.create(engine, network, loss, inputs, adversary, layout) }),
    };
    const expected = { inputs, prediction: predictionShape(network, inputs), loss };
    return new Trainer(engine, options, layout, programs, vectors, expected, from?.step ?? 0);
  }

  /** Steps done. */
  get steps(): number {
    return this.#step;
  }

  /** The network's vectors where they lie, for programs such as `predictionStep`. They are replaced by the next step. */
  weights(kind: WeightsKind = "last"): Weights {
    const { parameters, buffers } = this.layout;
    if (kind === "average" && this.options.average === undefined)
      throw new TrainingError("No moving average of the parameters is kept.");
    const from = parameters.names(kind === "average" ? "average" : "parameters");
    const named = parameters.names("parameters").map((name, i) => [name, this.vectors[from[i]!]!] as const);
    return Object.fromEntries([...named, ...buffers.names("buffers").map((name) => [name, this.vectors[name]!] as const)]);
  }

  /**
   * One update, from as many batches as `pieces` says.
   *
   * @throws TrainingError when a batch is not what the network is for, or the loss is no longer a number.
   */
  async step(batches: readonly TrainingBatch[]): Promise<StepReport> {
    const { optimizer, learningRate: base, schedule = constantRate, pieces = 1, seed } = this.options;
    if (batches.length !== pieces) throw new TrainingError(`A step takes ${pieces} batches, not ${batches.length}.`);
    for (const batch of batches) checkBatch(batch, this.expected);
    const step = this.#step + 1;
    const factor = schedule(this.#step);
    const learningRate = base * factor;
    const { sections } = this.layout.parameters;
    const perSection = sections.map((section, i) => {
      const own = optimizerOf(optimizer, section).scalars(step, (section.learningRate ?? base) * factor);
      return asScalars(own, (name) => scalarName(name, i, sections));
    });
    const scalars: Feeds = Object.assign({}, ...perSection);
    const prepared = (i: number) =>
      this.programs.adversary?.perturb(batches[i]!, this.weights(), `${seed}/adversary/${step}/${i}`) ?? batches[i]!;

    let report: Feeds;
    if (this.programs.whole) {
      report = await this.#advance(this.programs.whole, { ...feedsOf(await prepared(0)), ...scalars });
    } else {
      const { parameters } = this.layout;
      Object.assign(this.vectors, await uploadAll(this.engine, named(parameters.names("gradient"), parameters.zeros())));
      try {
        let loss = 0;
        for (let i = 0; i < pieces; i++) {
          const feeds = { ...feedsOf(await prepared(i)), ...asScalars({ share: 1 / pieces }, (name) => `scalar.${name}`) };
          loss += numberOf((await this.#advance(this.programs.accumulate!, feeds)).loss!) / pieces;
        }
        const { gradient_norm } = await this.#advance(this.programs.apply!, scalars);
        report = { loss: tensor("float32", [], [loss]), gradient_norm: gradient_norm! };
      } finally {
        for (const name of parameters.names("gradient")) {
          this.vectors[name]!.dispose();
          delete this.vectors[name];
        }
      }
    }
    this.#step = step;
    const loss = numberOf(report.loss!);
    if (!Number.isFinite(loss))
      throw new TrainingError(`The loss became ${loss} at step ${step}; lower the learning rate or clip the gradient's norm.`);
    return { step, loss, gradientNorm: numberOf(report.gradient_norm!), learningRate };
  }

  /** One parameter as it stands. @throws TrainingError for a name that the network does not have. */
  async parameter(name: string): Promise<Tensor> {
    const { parameters } = this.layout;
    const index = parameters.vectors.findIndex(({ declarations }) => declarations.some((d) => d.name === name));
    if (index < 0) throw new TrainingError(`The network has no parameter "${name}".`);
    const flat = await this.engine.download(this.vectors[parameters.names("parameters")[index]!]!);
    let begin = 0;
    for (const { name: other, shape } of parameters.vectors[index]!.declarations) {
      const end = begin + sizeOf(shape);
      if (other === name) return tensor("float32", shape, (flat.data as Float32Array).slice(begin, end));
      begin = end;
    }
    throw new TrainingError(`The network has no parameter "${name}".`);
  }

  /** Copies everything out: for checkpoints and for the finished network. */
  async state(): Promise<TrainingState> {
    const { parameters, buffers } = this.layout;
    const download = async (kind: string, layout: FlatLayout) => {
      const vectors: Tensor[] = [];
      for (const name of layout.names(kind)) vectors.push(await this.engine.download(this.vectors[name]!));
      return layout.unflatten(vectors);
    };
    const running = await download("buffers", buffers);
    const optimizer: Record<string, StateDict> = {};
    for (const name of this.options.optimizer.state) optimizer[name] = await download(`state.${name}`, parameters);
    return {
      step: this.#step,
      network: new Map([...(await download("parameters", parameters)), ...running]),
      ...(this.options.average !== undefined && { average: new Map([...(await download("average", parameters)), ...running]) }),
      optimizer,
    };
  }

  dispose(): void {
    const { whole, accumulate, apply, adversary } = this.programs;
    for (const program of [whole, accumulate, apply, adversary]) program?.dispose();
    for (const vector of Object.values(this.vectors)) vector.dispose();
  }

  /** Runs a program on the vectors it takes and puts their successors in their places. */
  async #advance(program: Program, feeds: Feeds): Promise<Feeds> {
    const taken = program.inputs.map(({ name }) => name).filter((name) => name in this.vectors);
    const keep = program.outputs.map(({ name }) => name).filter((name) => name.startsWith("next."));
    const out: Feeds = await program.run(
      { ...feeds, ...Object.fromEntries(taken.map((name) => [name, this.vectors[name]!])) },
      { keep },
    );
    for (const output of keep) {
      const name = output.slice("next.".length);
      this.vectors[name]!.dispose();
      this.vectors[name] = out[output] as DeviceTensor;
    }
    return out;
  }
}

interface Programs {
  readonly whole?: Program;
  readonly accumulate?: Program;
  readonly apply?: Program;
  readonly adversary?: Adversary;
}

function initialVectors(options: TrainerOptions, layout: NetworkLayout, from: TrainingState | undefined): Record<string, Tensor> {
  const { parameters, buffers } = layout;
  const { optimizer, average, seed } = options;
  const start = from ? parameters.flatten(from.network) : parameters.initial(seed);
  const running = from ? buffers.flatten(from.network) : buffers.initial(seed);
  const vectors = {
    ...named(parameters.names("parameters"), start),
    ...named(buffers.names("buffers"), running),
    ...(average !== undefined && named(parameters.names("average"), from?.average ? parameters.flatten(from.average) : start)),
  };
  for (const name of optimizer.state) {
    const known = from?.optimizer[name];
    if (from && from.step > 0 && !known)
      throw new TrainingError(`The state to go on from lacks the ${optimizer.name} optimizer's "${name}".`);
    Object.assign(vectors, named(parameters.names(`state.${name}`), known ? parameters.flatten(known) : parameters.zeros()));
  }
  return vectors;
}

const named = <T>(names: readonly string[], values: readonly T[]): Record<string, T> =>
  Object.fromEntries(names.map((name, i) => [name, values[i]!]));

async function uploadAll(engine: Engine, tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, DeviceTensor>> {
  const held: Record<string, DeviceTensor> = {};
  for (const [name, t] of Object.entries(tensors)) held[name] = await engine.upload(t);
  return held;
}

function feedsOf({ images, attacked = {}, target, valid }: TrainingBatch): Feeds {
  return {
    ...Object.fromEntries(Object.entries(images).map(([name, image]) => [`images.${name}`, image])),
    ...Object.fromEntries(Object.entries(attacked).map(([name, image]) => [`attacked.${name}`, image])),
    target,
    ...(valid && { valid }),
  };
}

const asScalars = (values: Readonly<Record<string, number>>, nameOf: (name: string) => string): Feeds =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [nameOf(name), tensor("float32", [], [value])]));

const numberOf = (t: Tensor | DeviceTensor): number => (t.data as Float32Array)[0]!;
