import { gradients } from "../../engine/autodiff/gradients.js";
import { lower } from "../../engine/compile/lower.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { mul, reduceMean, reduceSum, sub } from "../../engine/operators/index.js";
import type { Engine, Program } from "../../engine/runtime/engine.js";
import { entriesOf, stack, unstack } from "../../engine/tensor/arrays.js";
import { describe, isFloat, sameShape, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { DataError } from "../data/error.js";
import { framed, framing, type Mismatch } from "../framed-predictor.js";
import type { Predictor } from "../predictor.js";
import { type Assumption, assumptions } from "../spec/assumptions.js";
import { SpecError } from "../spec/error.js";
import { checkSpec, completeSpec, fixedModel, modelPredictor, type PredictorSize, predictorOf } from "../spec/model-predictor.js";
import { type ModelSpec, type ModelSpecInput, parseModelSpec } from "../spec/model-spec.js";
import { type PixelFunction, type Task, tasks } from "../tasks/index.js";
import { tiled } from "../tiled-predictor.js";
import { checkTileable, checkTiling, type Tiling, usualOverlap } from "../tiling.js";
import { filledPart, Gathered, type Part, partsOf } from "./batches.js";
import { gradientWarnings } from "./gradient-warnings.js";
import { checkedImages, type ImageBatch, type Images, type ImagesByRole, isTensor } from "./images.js";
import { innerValue } from "./inner-value.js";
import { checkedLists, checkedTargets, checkedValid, type Targets } from "./targets.js";

export interface ModelOptions {
  /** Images at a time; default 8 where there is one prediction for an image, 1 where there is one for each pixel. A model whose file fixes it keeps to that. */
  readonly batch?: number;
  /** What happens to images whose size the model does not take; default "pad": scaled with their shape kept, and mirrored at the edge. */
  readonly mismatch?: Mismatch;
  /** Images of any size are cut into tiles of this one, in pixels, and the predictions are put together; default overlap: a quarter of the shorter side. */
  readonly tiles?: Pick<Tiling, "height" | "width"> & Partial<Tiling>;
}

/** How a call goes on, and how it is stopped. */
export interface CallOptions {
  /** Images at a time; default the model's. */
  readonly batch?: number;
  /** Called after each batch with the images that are done, and all. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Stops between batches. */
  readonly signal?: AbortSignal;
}

export interface TargetOptions {
  /** Where the targets are known: 1 or 0 as [N, H, W]; default everywhere. Class labels say it themselves, by ignored ones. */
  readonly valid?: Tensor | readonly Tensor[];
  /** One of the task's losses by name, or a function of one's own; default the task's first. */
  readonly loss?: string | PixelFunction;
}

export interface GradientOptions extends CallOptions, TargetOptions {
  /**
   * A value within the model that is differentiated in place of the loss: its name in the file, a node's, or a PyTorch module's path. Without targets
   * it is the value's mean that is differentiated, with targets (features of its shape) its mean squared distance from them.
   */
  readonly of?: string;
  /** A value within the model by which the loss is differentiated, in place of the images: what Grad-CAM looks at. */
  readonly wrt?: string;
}

/** Predictions held against targets. */
export interface ScoredPredictions {
  /** In the task's canonical form: logits [N, K], logits [N, K, H, W], flow [N, 2, H, W] ... */
  readonly predictions: Tensor<"float32">;
  /** The task's metrics over all images, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The metric that stands for the rest, for each image; NaN where nothing of it counts. */
  readonly scores: readonly number[];
  /** Mean loss over the pixels of each image. */
  readonly loss: Float32Array;
  /** Share of each image's pixels that are right. */
  readonly correct: Float32Array;
}

export interface GradientResult<G> {
  /** Of each image's own loss (a mean over its pixels): like the images, or [N, ...] of the value in `wrt`. Not divided by N. */
  readonly gradient: G;
  /** What was differentiated, for each image. */
  readonly loss: Float32Array;
  /** What makes the numbers doubtful: gradients of zero, or not a number; scaled images; what nobody said of the model. */
  readonly warnings: readonly string[];
}

/**
 * A model in use: file, specification and engine. Images are float32 [N, 3, H, W] in [0, 1] whatever the model takes, any number of them: they go through
 * it in batches. Made by `loadModel`.
 *
 * @example
 * const model = await loadModel("net.onnx", { task: "classification", range: "imagenet" });
 * const logits = await model.predict(images); // float32[N, K]
 * await model.dispose();
 */
export class LoadedModel {
  readonly task: Task;
  readonly spec: ModelSpec;
  /** What nobody said of the model and is therefore taken to be as usual. */
  readonly assumed: readonly Assumption[];
  readonly batch: number;
  /** Images that the file takes at a time; undefined where it takes any number. */
  readonly takes: number | undefined;
  readonly #mismatch: Mismatch;
  /** How images are cut into tiles, where they are. */
  readonly tiling: Tiling | undefined;
  readonly #programs = new Map<string, Promise<Program>>();
  #state: "open" | "disposed" = "open";

  /**
   * @param options `head`: what the outputs look like once they are read, where the file leaves it open.
   * @param release is called when the model is disposed of; default: the engine is left alone.
   * @throws SpecError where model and specification do not fit each other.
   */
  constructor(
    readonly engine: Engine,
    readonly file: OnnxModel,
    said: ModelSpecInput,
    options: ModelOptions & { readonly head?: ModelSpec["output"]["head"] } = {},
    private readonly release: () => Promise<void> = async () => {},
  ) {
    const complete = completeSpec(file, parseModelSpec(said));
    this.spec = options.head === undefined ? complete : { ...complete, output: { ...complete.output, head: options.head } };
    this.assumed = assumptions(said, this.spec);
    this.task = tasks[this.spec.task];
    this.takes = checkSpec(file, this.spec).batch;
    this.#mismatch = options.mismatch ?? "pad";
    this.tiling = options.tiles && { overlap: usualOverlap(options.tiles), ...options.tiles };
    if (this.tiling && this.task.extent === "image")
      throw new SpecError("A class is of the whole image, which tiles cannot give; leave tiles out.");
    if (this.tiling) checkTiling(this.tiling, this.spec.size);
    this.batch = this.takes ?? checkedBatch(options.batch ?? (this.task.extent === "image" ? 8 : 1));
  }

  /**
   * Predictions in the task's canonical form: class logits [N, K] or [N, K, H, W] (`argmax` gives the classes), flow [N, 2, H, W] in pixels, pictures
   * [N, 3, H, W] in [0, 1] ...
   *
   * @throws DataError for images that are none; SpecError when the model does not take their size.
   * @example const classes = argmax(unstack(await model.predict([await readImage("cat.png")]), 0));
   */
  async predict(images: Images | ImagesByRole, options: CallOptions = {}): Promise<Tensor<"float32">> {
    const given = checkedImages(images, this.task);
    const { prediction } = await this.#run("predict", given, {}, options, async (batch) => {
      const { graph, prediction } = await this.#begin(given, batch, "folded");
      graph.output("prediction", prediction);
      return graph;
    });
    return prediction as Tensor<"float32">;
  }

  /**
   * The values within the model by a name, as `GradientOptions.of` takes it: [N, ...].
   *
   * @throws GraphError with the nearest names where there is none.
   * @example const features = await model.features(images, "layer4");
   */
  async features(images: Images | ImagesByRole, name: string, options: CallOptions = {}): Promise<Tensor> {
    const given = checkedImages(images, this.task);
    const { value } = await this.#run(`features ${name}`, given, {}, options, async (batch) => {
      const { graph } = await this.#begin(given, batch, "as in the file");
      graph.output("value", innerBatch(graph, name, batch));
      return graph;
    });
    return value!;
  }

  /**
   * Holds predictions against targets.
   *
   * @throws DataError where images or targets are none, or do not belong together.
   * @example const { metrics } = await model.evaluate(images, [3, 5]); // metrics["top-1"]
   */
  async evaluate(
    images: Images | ImagesByRole,
    targets: Targets,
    options: CallOptions & TargetOptions = {},
  ): Promise<ScoredPredictions> {
    const given = checkedImages(images, this.task);
    const { target, truths, valid } = await this.checkTargets(given, targets, options);
    const out = await this.#run(
      `evaluate ${valid !== undefined} ${this.#lossKey(options.loss)}`,
      given,
      { target, valid },
      options,
      async (batch) => {
        const { graph, prediction } = await this.#begin(given, batch, "folded");
        const against = targetInputs(graph, this.task, this.spec, prediction, valid !== undefined);
        graph.output("prediction", prediction);
        graph.output("loss", perImage(this.#loss(options.loss, prediction)(prediction, against.target, against.options)));
        graph.output("correct", perImage(this.task.correct(prediction, against.target, against.options)));
        return graph;
      },
    );
    return this.evaluation(out as Record<"prediction" | "loss" | "correct", Tensor<"float32">>, truths, valid);
  }

  /**
   * The gradient of each image's loss by its pixels; with `of` that of a value within the model, with `wrt` by one.
   *
   * @param targets what the prediction is compared with; with `of` features of its shape, or undefined.
   * @throws DataError where images or targets are none; NotDifferentiableError, ZeroGradientError where no gradient exists.
   * @example
   * const { gradient } = await model.gradient(images, labels);                             // float32[N, 3, H, W]
   * const saliency = await model.gradient(images, undefined, { of: "layer4.2.relu" });     // of a feature map's mean
   * const cam = await model.gradient(images, labels, { wrt: "layer4.2.relu" });            // Grad-CAM's weights
   */
  async gradient<I extends Images | ImagesByRole>(
    images: I,
    targets: Targets | undefined,
    options: GradientOptions = {},
  ): Promise<GradientResult<LikeImages<I>>> {
    const { of, wrt, loss } = options;
    const given = checkedImages(images, this.task);
    const roles = Object.keys(given.byRole);
    if (of === undefined && targets === undefined)
      throw new DataError(
        "gradient needs targets to hold the predictions against; only with { of } may they be undefined: then a value within the model is differentiated.",
      );
    const compared =
      targets === undefined
        ? {}
        : of === undefined
          ? await this.checkTargets(given, targets, options)
          : { target: await this.#features(given, of, targets) };
    const { target, valid } = compared as { target?: Tensor; valid?: Tensor<"float32"> };
    const inner = of !== undefined || wrt !== undefined;
    const key = `gradient ${of} ${wrt} ${target !== undefined} ${valid !== undefined} ${this.#lossKey(loss)}`;
    const out = await this.#run(key, given, { target, valid }, options, async (batch) => {
      const { graph, prediction, images: x } = await this.#begin(given, batch, inner ? "as in the file" : "folded");
      let each: Value;
      if (of === undefined) {
        const against = targetInputs(graph, this.task, this.spec, prediction, valid !== undefined);
        each = perImage(this.#loss(loss, prediction)(prediction, against.target, against.options));
      } else {
        const value = innerBatch(graph, of, batch);
        const features = target && graph.input("faultline.target", "float32", value.shape);
        const custom = typeof loss === "function" ? loss : undefined;
        const options = { ignore: [], scale: this.task.scale };
        const distance = features && sub(value, features);
        each = perImage(custom && features ? custom(value, features, options) : distance ? mul(distance, distance) : value);
      }
      const by = wrt === undefined ? roles.map((role) => x[role]!) : [innerBatch(graph, wrt, batch)];
      const slopes = gradients(reduceSum(each), by);
      slopes.forEach((slope, i) => {
        graph.output(`gradient.${wrt === undefined ? roles[i] : "inner"}`, slope);
      });
      graph.output("loss", each);
      return graph;
    });
    const slopes = Object.fromEntries(
      Object.entries(out).flatMap(([name, t]) => (name.startsWith("gradient.") ? [[name.slice("gradient.".length), t]] : [])),
    );
    const single = wrt !== undefined || isTensor(images) || Array.isArray(images);
    return {
      gradient: (single ? Object.values(slopes)[0]! : slopes) as LikeImages<I>,
      loss: out.loss!.data as Float32Array,
      warnings: [...this.warnings(given), ...gradientWarnings(Object.values(slopes))],
    };
  }

  /** Frees the engine, where `loadModel` started it, and the model's programs. */
  async dispose(): Promise<void> {
    if (this.#state === "disposed") return;
    this.#state = "disposed";
    for (const program of this.#programs.values()) (await program.catch(() => undefined))?.dispose();
    this.#programs.clear();
    await this.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** The model for a batch of one size, scaled, padded or cut into tiles as it needs: what methods compile their programs with. */
  predictor(given: Pick<ImageBatch, "height" | "width">, batch: number): Promise<Predictor> {
    return this.#predictor(given, batch, "folded");
  }

  /** The model for images of a size that it takes as it is: for tiles. */
  unframed(size: PredictorSize): Promise<Predictor> {
    return modelPredictor(this.file, this.spec, size, this.engine.evaluate);
  }

  /** Images of a call at a time. */
  batchOf(options: Pick<CallOptions, "batch">, count: number): number {
    return this.takes ?? Math.min(count, checkedBatch(options.batch ?? this.batch));
  }

  /** Targets and mask as losses take them, and what each prediction is measured against. @throws DataError */
  async checkTargets(
    given: ImageBatch,
    targets: Targets,
    options: Pick<TargetOptions, "valid">,
  ): Promise<{ readonly target: Tensor; readonly truths: readonly Tensor[]; readonly valid: Tensor<"float32"> | undefined }> {
    const { assigned } = this.task;
    if (assigned) {
      const clean = entriesOf(await this.predict(given.byRole));
      const truths = checkedLists(targets, given.count, clean[0]!.shape[0]! - 4);
      return { target: stack(truths.map((list, i) => assigned(list, clean[i]!))), truths, valid: undefined };
    }
    const graph = new Graph();
    const batch = this.batchOf({}, given.count);
    const predictor = await this.predictor(given, batch);
    const inputs = Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)] as const);
    const prediction = predictor.predict(graph, Object.fromEntries(inputs));
    const [, channels, ...pixels] = prediction.shape;
    const type = this.task.target({ type: "float32", shape: [given.count, channels!, ...pixels] });
    const target = checkedTargets(targets, type, channels!, this.task, this.spec);
    return {
      target,
      truths: entriesOf(target),
      valid: options.valid && checkedValid(options.valid, [given.count, ...pixels]),
    };
  }

  /** Scores of predictions, for each image and over all. */
  evaluation(
    { prediction, loss, correct }: Readonly<Record<"prediction" | "loss" | "correct", Tensor<"float32">>>,
    truths: readonly Tensor[],
    valid: Tensor<"float32"> | undefined,
  ): ScoredPredictions {
    const { ignore, output } = this.spec;
    const measure = this.task.measure({ classes: prediction.shape[1]!, ignore, output });
    const samples = Array.from({ length: prediction.shape[0]! }, (_, i) =>
      measure.sample(unstack(prediction, i), truths[i]!, valid && unstack(valid, i)),
    );
    return {
      predictions: prediction,
      metrics: measure.summarize(samples),
      scores: samples.map(
        ({ value }) => value ?? (measure.headline.perfect === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Number.NaN),
      ),
      loss: loss.data,
      correct: correct.data,
    };
  }

  /** What a reader of the numbers must know: what nobody said of the model, and what its images go through. */
  warnings({ height, width }: Pick<ImageBatch, "height" | "width">): string[] {
    const given = { height, width };
    const { scaled, seen } = this.tiling ? { scaled: given, seen: given } : framing(given, this.spec.size, this.#mismatch);
    const size = (e: { readonly height: number; readonly width: number }) => `${e.height}x${e.width}`;
    const resized = scaled.height !== height || scaled.width !== width;
    const padded = scaled.height !== seen.height || scaled.width !== seen.width;
    const how = [
      ...(resized ? [`scaled to ${size(scaled)}`] : []),
      ...(padded ? [`mirrored at the edge up to ${size(seen)}`] : []),
    ];
    return [
      ...this.assumed.map(
        ({ what, value, field }) =>
          `The ${what} is assumed to be ${value}, since nothing says it; say ${field} in the specification.`,
      ),
      ...(how.length > 0
        ? [`The model does not take images of ${height}x${width} (height x width); they are ${how.join(" and ")}.`]
        : []),
      ...(this.engine.info.note ? [this.engine.info.note] : []),
    ];
  }

  #loss(loss: string | PixelFunction | undefined, prediction: Value): PixelFunction {
    const { losses, name } = this.task;
    const found = typeof loss === "function" ? loss : loss === undefined ? Object.values(losses)[0]! : losses[loss];
    if (!found) throw new DataError(`${name} has no loss "${String(loss)}"; it has ${Object.keys(losses).join(", ")}.`);
    if (found.leastClasses !== undefined && prediction.shape[1]! < found.leastClasses)
      throw new DataError(
        `The loss "${String(loss)}" needs ${found.leastClasses} classes, and the model has ${prediction.shape[1]}.`,
      );
    return found;
  }

  /** A function of the caller's own is known by itself, not by its name. */
  #lossKey(loss: string | PixelFunction | undefined): string {
    if (typeof loss !== "function") return loss ?? "";
    const known = this.#ownLosses.get(loss) ?? this.#lossCount++;
    this.#ownLosses.set(loss, known);
    return `own ${known}`;
  }
  readonly #ownLosses = new WeakMap<PixelFunction, number>();
  #lossCount = 0;

  async #features(given: ImageBatch, of: string, targets: Targets): Promise<Tensor<"float32">> {
    const batch = this.batchOf({}, given.count);
    const { graph } = await this.#begin(given, batch, "as in the file");
    const value = innerBatch(graph, of, batch);
    const shape = [given.count, ...value.shape.slice(1)];
    if (!isTensor(targets) || !isFloat(targets.type) || !sameShape(targets.shape, shape))
      throw new DataError(
        `"${of}" is ${value.type}[${shape.join(", ")}] for these images, but the targets are ${isTensor(targets) ? describe(targets) : "a list"}; with { of } they are features of that shape, or undefined. For the gradient of the loss by this value say { wrt: "${of}" }.`,
      );
    return tensor("float32", shape, Float32Array.from(toNumbers(targets)));
  }

  /** The graph of a batch up to its prediction: inputs `faultline.<role>`. */
  async #begin(given: ImageBatch, batch: number, as: "folded" | "as in the file") {
    const predictor = await this.#predictor(given, batch, as);
    const graph = new Graph();
    const images = Object.fromEntries(
      Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(`faultline.${role}`, "float32", shape)]),
    );
    return { graph, images, prediction: predictor.predict(graph, images) };
  }

  #predictor(
    { height, width }: Pick<ImageBatch, "height" | "width">,
    batch: number,
    as: "folded" | "as in the file",
  ): Promise<Predictor> {
    const { engine, file, spec, tiling } = this;
    const predictorFor = async (size: PredictorSize) =>
      as === "folded" ? this.unframed(size) : predictorOf(await fixedModel(file, spec, size, engine.evaluate), spec, size);
    const size = { batch, height, width };
    if (!tiling) return framed(size, spec.size, this.#mismatch, this.task, predictorFor);
    checkTileable("The image", size, tiling);
    return tiled(size, tiling, predictorFor);
  }

  /** Runs a program over all images, batch by batch; its outputs, each with all images along the first axis. */
  async #run(
    what: string,
    given: ImageBatch,
    others: Readonly<Record<string, Tensor | undefined>>,
    { signal, onProgress, batch: wanted }: CallOptions,
    build: (batch: number) => Promise<Graph>,
  ): Promise<Record<string, Tensor>> {
    this.demandOpen();
    const batch = this.batchOf(wanted === undefined ? {} : { batch: wanted }, given.count);
    const program = await this.#program(`${what} ${batch} ${given.height} ${given.width}`, () => build(batch));
    const gathered = new Map(program.outputs.map(({ name }) => [name, new Gathered(given.count)]));
    for (const part of partsOf(given.count, batch)) {
      signal?.throwIfAborted();
      const out = await program.run({ ...feeds(given.byRole, part, batch), ...feeds(others, part, batch) });
      for (const [name, whole] of gathered) whole.add(out[name]!, part);
      onProgress?.({ done: part.to, total: given.count });
    }
    return Object.fromEntries([...gathered].map(([name, { whole }]) => [name, whole]));
  }

  /** @throws DataError after `dispose`. */
  demandOpen(): void {
    if (this.#state === "disposed") throw new DataError("The model was disposed of; load it again.");
  }

  /** Compiled once for each kind of call and size; only the last few are kept, since each holds a session. */
  #program(key: string, build: () => Promise<Graph>): Promise<Program> {
    const known = this.#programs.get(key);
    this.#programs.delete(key);
    const program = known ?? build().then((graph) => this.engine.compile(lower(graph, this.engine.info.provider)));
    this.#programs.set(key, program);
    program.catch(() => this.#programs.delete(key));
    for (const old of [...this.#programs.keys()].slice(0, -4)) {
      this.#programs.get(old)!.then(
        (p) => p.dispose(),
        () => {},
      );
      this.#programs.delete(old);
    }
    return program;
  }
}

/** What images that were given in one form come back in: one tensor, or one for each role. */
export type LikeImages<I extends Images | ImagesByRole> = I extends Images
  ? Tensor<"float32">
  : Readonly<Record<string, Tensor<"float32">>>;

const checkedBatch = (batch: number): number => {
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw new DataError(`A batch is a whole number of at least 1 image, not ${batch}.`);
  return batch;
};

const feeds = (tensors: Readonly<Record<string, Tensor | undefined>>, part: Part, batch: number): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, t]) => (t ? [[`faultline.${name}`, filledPart(t, part, batch)]] : [])),
  );

function targetInputs(graph: Graph, task: Task, spec: ModelSpec, prediction: Value, masked: boolean) {
  const { type, shape } = task.target(prediction);
  const [batch, , ...pixels] = prediction.shape;
  const valid = masked ? graph.input("faultline.valid", "float32", [batch!, ...pixels]) : undefined;
  return { target: graph.input("faultline.target", type, shape), options: { ignore: spec.ignore, valid, scale: task.scale } };
}

/** @throws DataError where a value does not hold one entry for each image. */
function innerBatch(graph: Graph, name: string, batch: number): Value {
  const value = innerValue(graph, name);
  if (value.shape[0] !== batch)
    throw new DataError(`"${name}" is ${describe(value)} for ${batch} image(s): it does not hold one entry for each image.`);
  return value;
}

/** Mean over all but the batch axis. */
function perImage(v: Value): Value {
  const axes = v.shape.map((_, i) => i).slice(1);
  return axes.length === 0 ? v : reduceMean(v, axes, "drop");
}
