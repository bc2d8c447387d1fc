import { lower } from "../../engine/compile/lower.js";
import type { Engine, Program } from "../../engine/runtime/engine.js";
import { unstack } from "../../engine/tensor/arrays.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { collate } from "../../methods/training/batch.js";
import { type NetworkLayout, predictionStep } from "../../methods/training/train-step.js";
import type { Trainer } from "../../methods/training/trainer.js";
import { type Dataset, fitted } from "../../vision/data/index.js";
import type { Measure, SampleScores } from "../../vision/metrics/measure.js";
import { tasks } from "../../vision/tasks/index.js";
import type { BestRule } from "./best.js";
import { demandMultiples, inputShapes, type Training } from "./build.js";
import { ConfigError, type TrainSettings } from "./config.js";

/** Measures the network in training on other data, between steps. */
export class Evaluation {
  private constructor(
    private readonly program: Program,
    private readonly config: TrainSettings,
    private readonly training: Training,
    private readonly size: readonly [height: number, width: number],
    private readonly batch: number,
    private readonly measure: Measure,
    /** Which evaluation is the best, where that was asked for. */
    readonly rule: BestRule | undefined,
  ) {}

  /** @throws ConfigError, DataError where the crop suits not the network or the first picture: better now than after a thousand steps. */
  static async create(engine: Engine, config: TrainSettings, training: Training, layout: NetworkLayout): Promise<Evaluation> {
    const size = config.evaluation?.crop ?? training.size;
    demandMultiples("evaluation.crop", size, training.named);
    const batch = Math.min(config.evaluation?.batch ?? config.batch, training.evaluation!.length);
    await fitted(training.evaluation!, { kind: "crop", height: size[0], width: size[1] }).sample(0);
    const model = predictionStep(training.named.network, inputShapes(training.named, batch, size), layout);
    const classes = [...model.outputs.values()][0]!.shape[1]!;
    const measure = tasks[config.task].measure({ classes, ignore: training.loss.ignore });
    const rule = bestRule(config, measure);
    return new Evaluation(await engine.compile(lower(model, engine.info.provider)), config, training, size, batch, measure, rule);
  }

  /** The task's metrics over the evaluation data, by name. */
  async run(trainer: Trainer): Promise<Readonly<Record<string, number>>> {
    const { loss, named } = this.training;
    const data = this.#data();
    const weights = trainer.weights(this.config.average === undefined ? "last" : "average");
    const scores: SampleScores[] = [];
    for (let start = 0; start < data.length; start += this.batch) {
      // The last batch is filled up with samples that are measured already.
      const first = Math.min(start, data.length - this.batch);
      const samples = await Promise.all(Array.from({ length: this.batch }, (_, i) => data.sample(first + i)));
      const { images, target, valid } = collate(samples, loss, named.inputs);
      const feeds = Object.fromEntries(Object.entries(images).map(([name, image]) => [`images.${name}`, image]));
      const { prediction } = await this.program.run({ ...feeds, ...weights });
      for (let i = start - first; i < this.batch; i++)
        scores.push(this.#score(unstack(prediction!, i), unstack(target, i), valid && unstack(valid, i)));
    }
    return this.#summary(scores);
  }

  /** Where pictures are predicted: the metrics of the pictures as they are given, which a network must surpass to be of any use. */
  async untouched(): Promise<Readonly<Record<string, number>> | undefined> {
    if (tasks[this.config.task].kind !== "picture") return undefined;
    const data = this.#data();
    const scores: SampleScores[] = [];
    for (let i = 0; i < data.length; i++) {
      const { inputs, target } = await data.sample(i);
      scores.push(this.#score(Object.values(inputs)[0]!, target!, undefined));
    }
    return this.#summary(scores);
  }

  #score(prediction: Tensor, target: Tensor, valid: Tensor | undefined): SampleScores {
    if (tasks[this.config.task].kind !== "picture") return this.measure.sample(prediction, target, valid);
    return this.measure.sample(asRgb(prediction), asRgb(target), valid);
  }

  #data(): Dataset {
    const [height, width] = this.size;
    return fitted(this.training.evaluation!, { kind: "crop", height, width });
  }

  /** JSON has no NaN. */
  #summary(scores: readonly SampleScores[]): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.measure.summarize(scores)).filter(([, value]) => Number.isFinite(value)));
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** A gray image [1, H, W] as a color picture, which is what metrics and attacks see. */
function asRgb(image: Tensor): Tensor {
  const [channels, height, width] = image.shape as [number, number, number];
  if (channels !== 1) return image;
  const gray = image.data as Float32Array;
  const data = new Float32Array(3 * gray.length);
  for (let c = 0; c < 3; c++) data.set(gray, c * gray.length);
  return { type: "float32", shape: [3, height, width], data };
}

function bestRule({ evaluation }: TrainSettings, { headline, summarize }: Measure): BestRule | undefined {
  const best = evaluation?.best;
  if (!best) return undefined;
  const known = Object.keys(summarize([]));
  const metric = best.metric ?? headline.name;
  if (!known.includes(metric))
    throw new ConfigError(`evaluation.best.metric: there is no metric "${metric}" here; choose one of ${known.join(", ")}.`);
  // All metrics of a task are better in the same direction.
  return { metric, better: headline.better, patience: best.patience, improvement: best.improvement };
}
