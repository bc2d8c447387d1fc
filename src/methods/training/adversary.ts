import { lower } from "../../engine/compile/lower.js";
import type { Graph } from "../../engine/graph/graph.js";
import type { DeviceTensor, Engine, Feeds, Program } from "../../engine/runtime/engine.js";
import { Random } from "../../engine/tensor/random.js";
import { type Shape, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { InputShapes, Network } from "../../vision/nn/model.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Attack } from "../attacks/attack.js";
import { ruleOf } from "../attacks/descent/rule-of.js";
import { type AttackSite, startGraph, stepGraph } from "../attacks/step-graph.js";
import { stepSchedules } from "../attacks/step-schedule.js";
import type { TrainingBatch } from "./batch.js";
import { TrainingError } from "./error.js";
import type { TrainingLoss } from "./losses.js";
import { bindNetwork, networkLayout } from "./train-step.js";

/** Who trains against whom. */
export interface AdversaryOptions {
  /** Any attack that carries no state from step to step: FGSM, BIM, PGD, SegPGD, CosPGD. It raises the training loss. */
  readonly attack: Attack;
  /** Share of each batch that is replaced by its attacked version; default 0.5. At least one sample is. */
  readonly share?: number;
}

/** The network's vectors at the moment of the attack, by the names of a program's inputs. */
export type Weights = Readonly<Record<string, DeviceTensor>>;

/**
 * Attacks the first part of each batch on the network as it stands, in training mode (Madry et al. 2018; half of each batch by FGSM:
 * Agnihotri et al. 2023). The attack is a program of its own with the gradient of the images as its only gradient: neither parameter
 * gradients nor running statistics of its passes reach the update. (In the published training code they do: it clears gradients before the
 * attack, and the attack's backward pass adds its own.)
 */
export class Adversary {
  private constructor(
    private readonly attack: Attack,
    private readonly inputs: InputShapes,
    /** How many samples of each batch are replaced. */
    readonly count: number,
    private readonly step: Program,
    private readonly start: Program | undefined,
  ) {}

  /** @throws TrainingError for an attack with state, or a share outside (0, 1]. */
  static async create(
    engine: Engine,
    network: Network,
    loss: TrainingLoss,
    inputs: InputShapes,
    { attack, share = 0.5 }: AdversaryOptions,
    layout = networkLayout(network, { inputs }),
  ): Promise<Adversary> {
    if (ruleOf(attack, tasks[loss.task]).state.length > 0)
      throw new TrainingError(
        `Training against ${attack.name} is not possible: it carries state between steps${attack.budget.grid === "8-bit" ? " on the 8-bit grid" : ""}; take fgsm, pgd or cospgd.`,
      );
    if (attack.budget.restarts > 1)
      throw new TrainingError(
        `Training takes the image that one search ends with; ${attack.name} is asked for ${attack.budget.restarts} restarts. Leave restarts out.`,
      );
    if (!(share > 0 && share <= 1))
      throw new TrainingError(`The adversarial share of a batch is above 0 and at most 1, not ${share}.`);
    const batch = Object.values(inputs)[0]![0]!;
    const count = Math.max(1, Math.round(share * batch));
    const attacked = Object.fromEntries(Object.entries(inputs).map(([name, [, ...rest]]) => [name, [count, ...rest]]));
    const raised: Attack = { ...attack, loss: loss.perPixel };
    const site: AttackSite = {
      predictor: {
        images: attacked,
        predict: (graph, images) => bindNetwork(graph, network, layout, Object.values(images), "training").prediction,
      },
      task: tasks[loss.task],
      ignore: loss.ignore,
      valid: loss.masked,
    };
    const compile = (graph: Graph) => engine.compile(lower(graph, engine.info.provider));
    const step = await compile(stepGraph(raised, site));
    if (attack.start === "ball")
      throw new TrainingError(
        "Training starts at the clean image or at the published random point; starts anywhere in the ball are for attacks.",
      );
    const start = attack.start === "random" ? await compile(startGraph(raised, site)) : undefined;
    return new Adversary(raised, attacked, count, step, start);
  }

  /** The batch with its first `count` samples attacked; the random start depends on the seed alone. */
  async perturb(batch: TrainingBatch, weights: Weights, seed: string): Promise<TrainingBatch> {
    const { attack, count } = this;
    const { steps, epsilon, stepSize, schedule = "constant" } = attack.budget;
    const clean = Object.fromEntries(Object.entries(batch.images).map(([name, t]) => [name, first(t, count)]));
    const constant: Feeds = {
      ...prefixed("clean.", clean),
      ...weights,
      target: first(batch.target, count),
      ...(batch.valid && { valid: first(batch.valid, count) }),
      epsilon: scalar(epsilon),
    };
    let x: Record<string, Tensor> = this.start ? await this.#start(this.start, clean, seed) : clean;
    const names = Object.keys(this.inputs);
    for (let t = 0; t < steps; t++) {
      const feeds: Feeds = {
        ...constant,
        ...prefixed("x.", x),
        progress: scalar(t / steps),
        step_size: scalar(stepSize * stepSchedules[schedule](t, steps)),
      };
      const out = await this.step.run(feeds, { only: names.map((name) => `next.${name}`) });
      x = Object.fromEntries(names.map((name) => [name, out[`next.${name}`]!]));
    }
    const images = Object.fromEntries(Object.entries(batch.images).map(([name, t]) => [name, replaced(t, x[name]!)]));
    return { ...batch, images };
  }

  dispose(): void {
    this.step.dispose();
    this.start?.dispose();
  }

  async #start(program: Program, clean: Readonly<Record<string, Tensor>>, seed: string): Promise<Record<string, Tensor>> {
    const noise = Object.fromEntries(Object.entries(this.inputs).map(([name, shape]) => [name, uniform(shape, seed, name)]));
    const out = await program.run({
      ...prefixed("clean.", clean),
      ...prefixed("start.", noise),
      epsilon: scalar(this.attack.budget.epsilon),
    });
    return Object.fromEntries(Object.keys(clean).map((name) => [name, out[`next.${name}`]!]));
  }
}

const scalar = (value: number): Tensor => tensor("float32", [], [value]);

const prefixed = <T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));

/** The first samples of a batch. */
function first(t: Tensor, count: number): Tensor {
  const length = (t.data.length / t.shape[0]!) * count;
  return { ...t, shape: [count, ...t.shape.slice(1)], data: t.data.slice(0, length) } as Tensor;
}

function replaced(t: Tensor<"float32">, head: Tensor): Tensor<"float32"> {
  const data = t.data.slice();
  data.set(head.data as Float32Array);
  return { ...t, data };
}

function uniform(shape: Shape, seed: string, name: string): Tensor<"float32"> {
  const noise = tensor("float32", shape);
  const random = new Random(seed, name);
  for (let i = 0; i < noise.data.length; i++) noise.data[i] = random.uniform(-1, 1);
  return noise;
}
