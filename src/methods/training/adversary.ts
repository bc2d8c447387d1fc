import type { DeviceTensor, Engine } from "../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { InputShapes, Network } from "../../vision/nn/model.js";
import { tasks } from "../../vision/tasks/index.js";
import { compileAscent } from "../attacks/ascent/compile-ascent.js";
import type { AttackedModel } from "../attacks/attacked-model.js";
import type { AttackBatch } from "../attacks/batch.js";
import { type Aim, type Attack, ascentsOf, attackOf, checkAttack, compileAttack } from "../attacks/definition.js";
import { AttackError } from "../attacks/error.js";
import { type AttackOutcome, checkedOutcome, selectStronger } from "../attacks/outcome.js";
import type { TrainingBatch } from "./batch.js";
import { boundEngine } from "./bound-engine.js";
import { TrainingError } from "./error.js";
import type { TrainingLoss } from "./losses.js";
import { agreeing, besideClean, countedPixels, type Trades } from "./trades.js";
import { bindNetwork, type NetworkLayout, networkLayout } from "./train-step.js";

/** Who trains against whom. */
export interface AdversaryOptions {
  /** Any attack. One that takes a loss raises the training loss; one with losses of its own (a smallest perturbation, a margin) follows those. */
  readonly attack: Attack;
  /** Share of each batch that is replaced by its attacked version; default 0.5, at least one sample. With `trades` all samples are attacked: 1. */
  readonly share?: number;
  /** Lowers the TRADES objective: the clean batch stays, and predictions of the attacked one shall agree with it. */
  readonly trades?: Trades;
}

/** The network's vectors at the moment of the attack, by the names of a program's inputs. */
export type Weights = Readonly<Record<string, DeviceTensor>>;

/** Finds the attacked images for the first samples of a batch. */
type Search = (batch: AttackBatch) => Promise<AttackBatch["images"]>;

interface Searching {
  readonly search: Search;
  readonly dispose: () => void;
}

/**
 * Attacks the first part of each batch on the network as it stands, in training mode (Madry et al. 2018; half of each batch by FGSM:
 * Agnihotri et al. 2023); for TRADES the whole batch, in evaluation mode, as each is published. The attack has programs of its own with the gradient of the
 * images as their only gradient: neither parameter gradients nor running statistics of its passes reach the update. (In the published training code
 * they do: it clears gradients before the attack, and the attack's backward pass adds its own.)
 */
export class Adversary {
  private constructor(
    /** How many samples of each batch are attacked. */
    readonly count: number,
    private readonly searching: Searching,
    private readonly kind: "in place of clean images" | "beside clean images",
    private readonly bind: (weights: Weights) => void,
  ) {}

  /**
   * @throws TrainingError for a share outside (0, 1], for an attack that learns before it attacks, and for TRADES where the task predicts no classes or the attack follows no loss that it is given;
   *   AttackError where the attack does not go with the task.
   */
  static async create(
    engine: Engine,
    network: Network,
    loss: TrainingLoss,
    inputs: InputShapes,
    { attack, trades, share = trades ? 1 : 0.5 }: AdversaryOptions,
    layout = networkLayout(network, { inputs }),
  ): Promise<Adversary> {
    if (!(share > 0 && share <= 1))
      throw new TrainingError(`The adversarial share of a batch is above 0 and at most 1, not ${share}.`);
    if (trades && share !== 1)
      throw new TrainingError(`TRADES takes the whole batch, clean and attacked; leave out the share of ${share}.`);
    const { fit, name } = attack.definition;
    if (fit)
      throw new TrainingError(
        `${name} learns one ${fit.what} for all images before it attacks any, and training attacks every batch anew; take another attack, such as pgd.`,
      );
    const batch = Object.values(inputs)[0]![0]!;
    const count = Math.max(1, Math.round(share * batch));
    const attacked = Object.fromEntries(Object.entries(inputs).map(([name, [, ...rest]]) => [name, [count, ...rest]]));
    let weights: Weights = {};
    const bound = boundEngine(engine, namesOf(layout), () => weights);
    const model: AttackedModel = {
      predictor: {
        images: attacked,
        predict: (graph, images) =>
          bindNetwork(graph, network, layout, Object.values(images), trades ? "evaluation" : "training").prediction,
      },
      task: tasks[loss.task],
      ignore: loss.ignore,
      valid: loss.masked,
    };
    const searching = trades ? await tradesSearch(bound, attack, loss, model) : await lossSearch(bound, attack, loss, model);
    return new Adversary(count, searching, trades ? "beside clean images" : "in place of clean images", (now) => {
      weights = now;
    });
  }

  /**
   * The batch with its first `count` samples attacked, or, for TRADES, with all of them attacked beside it; random numbers depend on the seed and a sample's
   * place in the batch.
   */
  async perturb(batch: TrainingBatch, weights: Weights, seed: string): Promise<TrainingBatch> {
    const { count } = this;
    this.bind(weights);
    const images = await this.searching.search({
      images: Object.fromEntries(Object.entries(batch.images).map(([name, t]) => [name, first(t, count)])),
      target: first(batch.target, count),
      ...(batch.valid && { valid: first(batch.valid, count) }),
      samples: Array.from({ length: count }, (_, i) => String(i)),
      seed,
    });
    if (this.kind === "beside clean images") return { ...batch, attacked: images };
    const attacked = Object.entries(batch.images).map(([name, t]) => [name, replaced(t, images[name]!)] as const);
    return { ...batch, images: Object.fromEntries(attacked) };
  }

  dispose(): void {
    this.searching.dispose();
  }
}

const namesOf = ({ parameters, buffers }: NetworkLayout): string[] => [
  ...parameters.names("parameters"),
  ...buffers.names("buffers"),
];

/** An attack that raises the training loss, where it takes one. */
async function lossSearch(engine: Engine, attack: Attack, loss: TrainingLoss, model: AttackedModel): Promise<Searching> {
  const aim = { task: model.task, goal: "untargeted" } as const;
  const raising = await withLoss(attack, loss, aim);
  const [ascent, ...more] = attack.definition.ascent ? await ascentsOf(raising, aim) : [];
  if (ascent && more.length === 0) return ascentSearch(await compileAscent(engine, ascent, model));
  const compiled = await compileAttack(engine, raising, model);
  return {
    search: async (batch) => checkedOutcome(attack, await compiled.run(batch), batch.images).images,
    dispose: () => compiled.dispose(),
  };
}

/** @throws AttackError where the attack does not go with the task. */
async function withLoss(attack: Attack, { perPixel }: TrainingLoss, aim: Aim): Promise<Attack> {
  const { definition, parameters } = attack;
  if ("loss" in definition.parameters.shape) {
    try {
      const raising = attackOf(definition, { ...parameters, loss: perPixel });
      await checkAttack(raising, aim);
      return raising;
    } catch (error) {
      // Some attacks have losses of their own, or take one by its name alone.
      if (!(error instanceof AttackError)) throw error;
    }
  }
  await checkAttack(attack, aim);
  return attack;
}

/** The inner attack of TRADES: it raises the divergence from the clean prediction. */
async function tradesSearch(engine: Engine, attack: Attack, loss: TrainingLoss, model: AttackedModel): Promise<Searching> {
  const agreement = agreeing(model.task);
  const [ascent, ...more] = await ascentsOf(attack, { task: model.task, goal: "untargeted" });
  if (!ascent || more.length > 0)
    throw new TrainingError(
      `TRADES raises a divergence of its own, and ${attack.name} ${ascent ? "is several attacks" : "follows no loss that it is given"}; take pgd, mi-fgsm or apgd.`,
    );
  const masked = loss.masked || loss.ignore.length > 0;
  const compiled = await compileAscent(
    engine,
    { ...ascent, start: "clean", loss: agreement.loss, budget: { ...ascent.budget, restarts: 1 } },
    { ...model, task: agreement.task, ignore: [], valid: masked },
  );
  return {
    search: async (batch) => {
      const valid = countedPixels(batch, loss);
      const { images } = await compiled.search(
        {
          images: batch.images,
          from: besideClean(batch.images, String(batch.seed)),
          target: await compiled.predict(batch.images),
          ...(masked && valid && { valid }),
          samples: batch.samples,
          seed: batch.seed,
        },
        0,
      );
      return images;
    },
    dispose: () => compiled.dispose(),
  };
}

function ascentSearch(ascent: Awaited<ReturnType<typeof compileAscent>>): Searching {
  const { restarts } = ascent.attack.budget;
  return {
    search: async (batch) => {
      const { images } = await ascent.search(batch, 0);
      if (restarts === 1) return images;
      const judged = async (found: typeof images): Promise<AttackOutcome> => {
        const judgement = await ascent.evaluate(batch, found);
        return { ...judgement, images: found, steps: [], clean: judgement };
      };
      let best = await judged(images);
      for (let restart = 1; restart < restarts; restart++)
        best = selectStronger(best, await judged((await ascent.search(batch, restart)).images), ascent.attack.goal, "loss");
      return best.images;
    },
    dispose: () => ascent.dispose(),
  };
}

/** The first samples of a batch. */
function first<T extends Tensor>(t: T, count: number): T {
  const length = (t.data.length / t.shape[0]!) * count;
  return { ...t, shape: [count, ...t.shape.slice(1)], data: t.data.slice(0, length) } as T;
}

function replaced(t: Tensor<"float32">, head: Tensor<"float32">): Tensor<"float32"> {
  const data = t.data.slice();
  data.set(head.data);
  return tensor("float32", t.shape, data);
}
