import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../engine/runtime/engine.js";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import type { TrainingBatch } from "../../methods/training/batch.js";
import type { Trainer, TrainingState } from "../../methods/training/trainer.js";
import { loadCheckpoint } from "../../vision/nn/checkpoints/files.js";
import {
  asFloat32,
  matchParameters,
  type StateDict,
  stripPrefix,
  wrapperPrefix,
} from "../../vision/nn/checkpoints/state-dict.js";
import { declarations } from "../../vision/nn/model.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import type { PluginFile, Plugins } from "../plugins/plugins.js";
import type { RunDirectory, RunRecord } from "../runs/run-directory.js";
import { bestSoFar, isExhausted } from "./best.js";
import { createTrainer, inputShapes, prepareTraining, type Training } from "./build.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.js";
import { ConfigError, type ImportedTrainConfig, type TrainConfig, type TrainSettings } from "./config.js";
import { Evaluation } from "./evaluate.js";
import { exportNetwork, type TrainResult } from "./export.js";
import { exportImported, importedTraining } from "./imported.js";
import { sparkline } from "./sparkline.js";

/** A line of records.jsonl: the steps since the line before. */
export interface TrainRecord extends RunRecord {
  /** Mean over the steps. */
  readonly loss?: number;
  /** Of the last step. */
  readonly gradientNorm?: number;
  readonly learningRate?: number;
  /** The task's metrics on the evaluation data, where this step was evaluated. */
  readonly evaluation?: Readonly<Record<string, number>>;
  /** What was asked to be observed after the last step. */
  readonly observed?: Readonly<Record<string, readonly number[]>>;
}

/** run.json */
export interface TrainPlan<C extends TrainSettings = TrainConfig> {
  readonly command: string;
  readonly version: string;
  readonly config: C;
  /** SHA-256 of the checkpoint, or the model, that the run began with. */
  readonly start?: string;
  /** What a model of one's own takes and yields. */
  readonly spec?: ModelSpec;
  /** Fields of the specification that nobody said, and that are the usual values. */
  readonly assumed?: readonly string[];
  /** SHA-256 of folders with data, as `fingerprintOf` has it. */
  readonly data?: { readonly training?: string; readonly evaluation?: string };
  /** Modules that the adversary comes from. */
  readonly plugins?: readonly PluginFile[];
  readonly runtime: {
    readonly provider: string;
    readonly runtime: string;
    readonly threads: number;
    readonly optimization: string;
  };
}

/**
 * What decides whether two plans are of the same run: what model, checkpoint, data and modules hold, not their paths, and what was said, not whether it
 * was.
 */
export function identityOf({ assumed: _, plugins = [], ...plan }: TrainPlan | TrainPlan<ImportedTrainConfig>): unknown {
  const {
    model: __,
    spec: ___,
    start: ____,
    plugins: _____,
    ...config
  } = { model: "", spec: "", plugins: [], ...plan.config, start: "" };
  const evaluation = config.evaluation && { ...config.evaluation, data: withoutPath(config.evaluation.data) };
  return {
    ...plan,
    plugins: plugins.map(({ sha256 }) => sha256),
    config: { ...config, data: withoutPath(config.data), evaluation },
  };
}

const withoutPath = (data: TrainSettings["data"]): object => ({ ...data, path: undefined });

export interface TrainHooks {
  readonly onProgress?: (step: number, note: string) => void;
  /** What a user should know before the first step. */
  readonly onNote?: (sentence: string) => void;
  readonly signal: AbortSignal;
  /** What the adversary may be; default the library's attacks. */
  readonly plugins?: Plugins;
}

/** What a run trains and what it leaves behind. */
export interface Course {
  readonly training: Training;
  /** Written into every line of the records. */
  readonly observe?: (trainer: Trainer) => Promise<TrainRecord["observed"]>;
  /** Writes the finished network. */
  readonly finish: (result: TrainResult) => void;
}

const isImported = (plan: TrainPlan | TrainPlan<ImportedTrainConfig>): plan is TrainPlan<ImportedTrainConfig> =>
  "model" in plan.config;

/** Trains the network that the configuration names, or the model, and writes it as ONNX, safetensors and a card: see `runCourse`. */
export async function runTraining(
  engine: Engine,
  plan: TrainPlan | TrainPlan<ImportedTrainConfig>,
  run: RunDirectory<TrainRecord>,
  hooks: TrainHooks,
): Promise<TrainResult | "stopped"> {
  if (isImported(plan)) {
    const imported = await importedTraining(engine, plan.config, hooks.onNote);
    for (const note of imported.notes) hooks.onNote?.(note);
    const course = {
      training: imported.training,
      finish: (result: TrainResult) => exportImported(plan, imported, result, run),
    };
    return runCourse(engine, plan.config, run, course, hooks);
  }
  const training = await prepareTraining(plan.config, hooks.onNote);
  const finish = (result: TrainResult) => exportNetwork(plan, training, result, run);
  return runCourse(engine, plan.config, run, { training, finish }, hooks);
}

const checkpointName = "checkpoint.safetensors";
/** The network of the best evaluation so far. */
const bestName = "best.safetensors";

/**
 * Trains, or goes on from the run's checkpoint, until the last step, until nothing improves any more (where the configuration says so), or
 * until the signal says stop (a checkpoint is written then). An interrupted and resumed run has the bits of an unbroken one.
 */
export async function runCourse(
  engine: Engine,
  config: TrainSettings,
  run: RunDirectory<TrainRecord>,
  { training, observe, finish }: Course,
  { onProgress, signal, plugins }: TrainHooks,
): Promise<TrainResult | "stopped"> {
  const before = readCheckpoint(run);
  const trainer = await createTrainer(
    engine,
    config,
    training,
    before?.state ?? (await startingState(config, training)),
    plugins,
  );
  const evaluation = training.evaluation && (await Evaluation.create(engine, config, training, trainer.layout));
  const recorder = new Recorder(run, config, before?.losses ?? []);
  const rule = evaluation?.rule;
  const save = async () => {
    run.write(checkpointName, encodeCheckpoint({ state: await trainer.state(), losses: recorder.losses }));
    if (run.records.length === 0) return;
    const { lossFigure } = await import("./loss-figure.js");
    run.write("loss.svg", lossFigure(run.records));
  };
  try {
    let upcoming = batchesOf(training, config, trainer.steps);
    while (trainer.steps < config.steps && !(rule && isExhausted(bestSoFar(trainer.steps, run.records, rule), rule))) {
      if (signal.aborted) {
        await save();
        return "stopped";
      }
      const batches = await upcoming;
      const stepping = trainer.step(batches);
      // Prepared while the step runs in the engine's thread. A failure is thrown when the batch is needed.
      upcoming = batchesOf(training, config, trainer.steps + 1);
      upcoming.catch(() => {});
      const report = await stepping;
      const due = evaluation && (report.step === config.steps || report.step % config.evaluation!.every === 0);
      await recorder.add(report, due ? await evaluation.run(trainer) : undefined, () => observe?.(trainer));
      if (due && rule && bestSoFar(report.step, run.records, rule).best?.index === report.step)
        run.write(bestName, writeSafetensors(resultOf(await trainer.state())));
      onProgress?.(report.step, recorder.note());
      if (report.step % config.checkpoint === 0) await save();
    }
    await save();
    const best = rule && bestSoFar(trainer.steps, run.records, rule).best;
    const weights = best ? await loadCheckpoint(join(run.path, bestName)) : resultOf(await trainer.state());
    const chosen = best ?? run.records.findLast((r) => r.evaluation);
    const untouched = await evaluation?.untouched();
    const result: TrainResult = {
      weights,
      steps: trainer.steps,
      ...(chosen && { evaluated: chosen }),
      ...(untouched && { untouched }),
      ...(rule && { rule }),
    };
    finish(result);
    return result;
  } finally {
    trainer.dispose();
    evaluation?.dispose();
  }
}

function readCheckpoint(run: RunDirectory<TrainRecord>) {
  const file = join(run.path, checkpointName);
  return existsSync(file) ? decodeCheckpoint(readFileSync(file), file) : undefined;
}

/** @throws ConfigError with a sentence for every tensor of the checkpoint that does not fit. */
async function startingState({ start }: TrainSettings, { named, size }: Training): Promise<TrainingState | undefined> {
  if (start === undefined) return undefined;
  const found = asFloat32(await loadCheckpoint(start));
  const prefix = wrapperPrefix(found);
  const network = prefix === "" ? found : stripPrefix(found, prefix);
  const expected = [...declarations(named.network, inputShapes(named, 1, size))];
  const misfits = matchParameters(new Map(expected.map(([name, { shape }]) => [name, shape])), network, { strict: true });
  if (misfits.length === 0) return { step: 0, network, optimizer: {} };
  const more = misfits.length > 3 ? ` (${misfits.length - 3} more of this kind.)` : "";
  throw new ConfigError(`${start} does not fit the network. ${misfits.slice(0, 3).join(" ")}${more}`);
}

/** What a run trains: the moving average where one is kept. */
const resultOf = ({ network, average }: TrainingState): StateDict => average ?? network;

function batchesOf({ batches }: Training, { pieces }: TrainSettings, step: number): Promise<TrainingBatch[]> {
  return Promise.all(Array.from({ length: pieces }, (_, i) => batches.batch(step * pieces + i)));
}

/** Gathers losses into lines of records.jsonl. Lines that an interrupted run has written already are not written twice. */
class Recorder {
  readonly losses: number[];
  readonly #written: Set<number>;
  readonly #curve: number[];
  #metric = "";

  constructor(
    private readonly run: RunDirectory<TrainRecord>,
    private readonly config: TrainSettings,
    losses: readonly number[],
  ) {
    this.losses = [...losses];
    this.#written = new Set(run.records.map((r) => r.index));
    this.#curve = run.records.flatMap((r) => r.loss ?? []);
  }

  async add(
    report: Awaited<ReturnType<Trainer["step"]>>,
    evaluation: TrainRecord["evaluation"],
    observe: () => Promise<TrainRecord["observed"]> | undefined,
  ): Promise<void> {
    const { step, loss, gradientNorm, learningRate } = report;
    this.losses.push(loss);
    const [metric] = Object.entries(evaluation ?? {});
    if (metric) this.#metric = `, ${metric[0]} ${metric[1].toFixed(3)}`;
    if (step % this.config.record !== 0 && step !== this.config.steps && !evaluation) return;
    const mean = this.losses.reduce((a, b) => a + b, 0) / this.losses.length;
    this.losses.length = 0;
    if (this.#written.has(step)) return;
    this.#curve.push(mean);
    const observed = await observe();
    this.run.append([
      {
        index: step,
        sample: `step ${step}`,
        loss: mean,
        gradientNorm,
        learningRate,
        ...(evaluation && { evaluation }),
        ...(observed && { observed }),
      },
    ]);
  }

  note(): string {
    const last = this.#curve.at(-1);
    return last === undefined ? "" : `loss ${last.toPrecision(4)} ${sparkline(this.#curve)}${this.#metric}`;
  }
}
