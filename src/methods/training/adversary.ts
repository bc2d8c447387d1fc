import type { DeviceTensor, Engine } from "../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { InputShapes, Network } from "../../vision/nn/model.js";
import { tasks } from "../../vision/tasks/index.js";
import { type CompiledAscent, compileAscent } from "../attacks/compile-attack.js";
import { type Attack, ascentsOf } from "../attacks/definition.js";
import { type AttackOutcome, selectStronger } from "../attacks/outcome.js";
import type { TrainingBatch } from "./batch.js";
import { TrainingError } from "./error.js";
import type { TrainingLoss } from "./losses.js";
import { bindNetwork, networkLayout } from "./train-step.js";

/** Who trains against whom. */
export interface AdversaryOptions {
  /** Any attack that is one projected ascent: FGSM, PGD, MI-FGSM, CosPGD, Auto-PGD and their like. It raises the training loss. */
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
    /** How many samples of each batch are replaced. */
    readonly count: number,
    private readonly ascent: CompiledAscent,
  ) {}

  /** @throws TrainingError for an attack that is not one projected ascent, or a share outside (0, 1]. */
  static async create(
    engine: Engine,
    network: Network,
    loss: TrainingLoss,
    inputs: InputShapes,
    { attack, share = 0.5 }: AdversaryOptions,
    layout = networkLayout(network, { inputs }),
  ): Promise<Adversary> {
    if (!(share > 0 && share <= 1))
      throw new TrainingError(`The adversarial share of a batch is above 0 and at most 1, not ${share}.`);
    const task = tasks[loss.task];
    const ascents = await ascentsOf(attack, { task, goal: "untargeted" });
    if (ascents.length !== 1)
      throw new TrainingError(
        `Training against ${attack.name} is not possible: ${ascents.length === 0 ? "it takes no steps along a gradient" : "it is several attacks"}; take pgd, cospgd or apgd.`,
      );
    const batch = Object.values(inputs)[0]![0]!;
    const count = Math.max(1, Math.round(share * batch));
    const attacked = Object.fromEntries(Object.entries(inputs).map(([name, [, ...rest]]) => [name, [count, ...rest]]));
    const ascent = await compileAscent(
      engine,
      { ...ascents[0]!, loss: loss.perPixel },
      {
        predictor: {
          images: attacked,
          predict: (graph, images) => bindNetwork(graph, network, layout, Object.values(images), "training").prediction,
        },
        task,
        ignore: loss.ignore,
        valid: loss.masked,
      },
    );
    return new Adversary(count, ascent);
  }

  /** The batch with its first `count` samples attacked; random numbers depend on the seed and a sample's place in the batch. */
  async perturb(batch: TrainingBatch, weights: Weights, seed: string): Promise<TrainingBatch> {
    const { ascent, count } = this;
    const clean = Object.fromEntries(Object.entries(batch.images).map(([name, t]) => [name, first(t, count)]));
    const part = {
      images: clean,
      target: first(batch.target, count),
      ...(batch.valid && { valid: first(batch.valid, count) }),
      samples: Array.from({ length: count }, (_, i) => String(i)),
      seed,
      feeds: weights,
    };
    const { restarts, goal } = { ...ascent.attack.budget, goal: ascent.attack.goal };
    let { images } = await ascent.search(part, 0);
    if (restarts > 1) {
      const judged = async (found: typeof images): Promise<AttackOutcome> => {
        const judgement = await ascent.evaluate(part, found);
        return { ...judgement, images: found, steps: [], clean: judgement };
      };
      let best = await judged(images);
      for (let restart = 1; restart < restarts; restart++)
        best = selectStronger(best, await judged((await ascent.search(part, restart)).images), goal, "loss");
      images = { ...best.images };
    }
    const attacked = Object.entries(batch.images).map(([name, t]) => [name, replaced(t, images[name]!)] as const);
    return { ...batch, images: Object.fromEntries(attacked) };
  }

  dispose(): void {
    this.ascent.dispose();
  }
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
