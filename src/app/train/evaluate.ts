import { lower } from "../../engine/compile/lower.js";
import type { Engine, Program } from "../../engine/runtime/engine.js";
import { collate } from "../../methods/training/batch.js";
import { predictionStep } from "../../methods/training/train-step.js";
import type { Trainer } from "../../methods/training/trainer.js";
import { fitted } from "../../vision/data/index.js";
import { type Measure, measureFor, type SampleScores } from "../attack/measure.js";
import { unstack } from "../attack/tensors.js";
import { inputShapes, type Training } from "./build.js";
import type { TrainConfig } from "./config.js";

/** Measures the network in training on other data, between steps. */
export class Evaluation {
  private constructor(
    private readonly program: Program,
    private readonly config: TrainConfig,
    private readonly training: Training,
    private readonly size: readonly [height: number, width: number],
    private readonly batch: number,
  ) {}

  static async create(engine: Engine, config: TrainConfig, training: Training): Promise<Evaluation> {
    const size = config.evaluation?.crop ?? training.size;
    const batch = Math.min(config.evaluation?.batch ?? config.batch, training.evaluation!.length);
    const model = predictionStep(training.named.network, inputShapes(training.named, batch, size));
    return new Evaluation(await engine.compile(lower(model, engine.info.provider)), config, training, size, batch);
  }

  /** The task's metrics over the evaluation data, by name. */
  async run(trainer: Trainer): Promise<Readonly<Record<string, number>>> {
    const { loss, named } = this.training;
    const [height, width] = this.size;
    const data = fitted(this.training.evaluation!, { kind: "crop", height, width });
    const weights = trainer.weights(this.config.average === undefined ? "last" : "average");
    const scores: SampleScores[] = [];
    let measure: Measure | undefined;
    for (let start = 0; start < data.length; start += this.batch) {
      // The last batch is filled up with samples that are measured already.
      const first = Math.min(start, data.length - this.batch);
      const samples = await Promise.all(Array.from({ length: this.batch }, (_, i) => data.sample(first + i)));
      const { images, target, valid } = collate(samples, loss, named.inputs);
      const feeds = Object.fromEntries(Object.entries(images).map(([name, image]) => [`images.${name}`, image]));
      const { prediction } = await this.program.run({ ...feeds, ...weights });
      measure ??= measureFor(this.config.task, { classes: prediction!.shape[1]!, ignore: loss.ignore });
      for (let i = start - first; i < this.batch; i++)
        scores.push(measure.sample(unstack(prediction!, i), unstack(target, i), valid && unstack(valid, i)));
    }
    return Object.fromEntries(Object.entries(measure!.summarise(scores)).filter(([, value]) => Number.isFinite(value)));
  }

  dispose(): void {
    this.program.dispose();
  }
}
