import { livingGradients } from "../../../engine/autodiff/gradients.js";
import { lower } from "../../../engine/compile/lower.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import { add, clip, mul, reduceSum, sub } from "../../../engine/operators/index.js";
import type { Engine, Program } from "../../../engine/runtime/engine.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { PixelFunction } from "../../../vision/tasks/index.js";
import { type AttackedModel, imagesOf, perturbedRoles } from "../attacked-model.js";
import type { AttackBatch } from "../batch.js";
import type { CompiledAttack } from "../definition.js";
import { AttackError } from "../error.js";
import { compileEvaluation } from "../evaluation.js";
import { lossOf } from "../evaluation-graph.js";
import { compileObjective } from "../objective.js";
import type { AttackOutcome } from "../outcome.js";
import type { FitHooks, FitProgress, Fitted, Lessons } from "./fitted.js";

/** How images wear what was learned, as graphs: a perturbation is added to each, a patch is pasted into each. */
export interface Wear {
  /** Shapes of what is learned, by name. */
  readonly learned: Readonly<Record<string, Shape>>;
  /** What learning begins with. */
  first(name: string, shape: Shape): Tensor<"float32">;
  /** Shapes of what is drawn for a batch, by name; absent: nothing is. */
  readonly drawn?: Readonly<Record<string, Shape>>;
  /** Draws it for the samples of a batch. @param pass names the draw: what is drawn depends on seed, sample and pass alone. */
  draw?(batch: Pick<AttackBatch, "samples" | "seed" | "region">, pass: string): Readonly<Record<string, Tensor<"float32">>>;
  /** Images of the batch that wear it, by role, and where it hides them: 1 there, [B, 1, H, W]; absent: it hides nothing. */
  apply(given: WornInputs): { readonly images: Readonly<Record<string, Value>>; readonly hidden?: Value };
  /** The next state of what is learned, from the gradient of the mean loss that is to rise: inside all its bounds. */
  step(name: string, given: { readonly value: Value; readonly gradient: Value; readonly stepSize: Value }): Value;
  /** What is subtracted from the loss; absent: nothing. */
  penalty?(learned: Readonly<Record<string, Value>>): Value | undefined;
}

export interface WornInputs {
  readonly clean: Readonly<Record<string, Value>>;
  readonly learned: Readonly<Record<string, Value>>;
  readonly drawn: Readonly<Record<string, Value>>;
  readonly region: Value | undefined;
}

/** What learning needs beside the wear. */
export interface LearnOptions {
  readonly steps: number;
  readonly stepSize: (step: number) => number;
  readonly loss?: string | PixelFunction | undefined;
  /** Each pixel's loss counts up to here; absent: as it is. */
  readonly most?: number | undefined;
}

/**
 * Stochastic gradient ascent on the mean loss over the samples of the lessons, each pixel's loss clipped (Shafahi et al. 2020, algorithm 2): without the
 * bound, images that are lost already would pull most. Where pixels are hidden, only the others count.
 */
export async function learn(
  engine: Engine,
  wear: Wear,
  model: AttackedModel,
  lessons: Lessons,
  { steps, stepSize, loss, most }: LearnOptions,
  { from, onStep, signal }: FitHooks,
): Promise<FitProgress> {
  const roles = perturbedRoles(model);
  const names = Object.keys(wear.learned);
  const goal = model.goal ?? "untargeted";
  const raised = lossOf({ ...(loss !== undefined && { loss }) }, model.task);
  const worn = await compileWorn(engine, wear, model);
  const objective = await compileObjective(engine, judgedModel(model, worn), ({ prediction, target, options }) => {
    const perPixel = raised(prediction, target, options);
    // Towards a target the loss falls, and is bounded by itself.
    return most === undefined || goal === "targeted" ? perPixel : clip(perPixel, -most, most);
  });
  const update = await engine.compile(lower(updateGraph(wear, model), engine.info.provider));
  try {
    let fitted: Fitted =
      from === undefined
        ? Object.fromEntries(Object.entries(wear.learned).map(([name, shape]) => [name, wear.first(name, shape)]))
        : from.fitted;
    let done = from?.steps ?? 0;
    for (; done < steps && !signal?.aborted; done++) {
      const batch = await lessons.batch(done);
      const put = await worn.put(batch, fitted, `fit/${done}`);
      const found = await objective.at({ ...batch, ...put.valid }, { ...batch.images, ...put.images }, {}, `fit/${done}`);
      const feeds: Record<string, Tensor> = { step_size: tensor("float32", [], [stepSize(done)]), ...put.feeds };
      for (const role of roles) feeds[`gradient.${role}`] = found.gradient[role]!;
      const next = await update.run(pickInputs(update, feeds));
      fitted = Object.fromEntries(names.map((name) => [name, next[`next.${name}`] as Tensor<"float32">]));
      onStep?.({ fitted, steps: done + 1 }, steps, found.value.reduce((a, b) => a + b, 0) / found.value.length);
    }
    return { fitted, steps: done };
  } finally {
    for (const program of [worn, objective, update]) program.dispose();
  }
}

/** The attack on a batch: all images wear what was learned. @throws AttackError where it is of another shape. */
export async function compileWearing(
  engine: Engine,
  wear: Wear,
  model: AttackedModel,
  given: Fitted,
  loss?: string | PixelFunction,
): Promise<CompiledAttack> {
  // Where there is only one, its name says nothing: a .npy file has the file's.
  const [due, there] = [Object.keys(wear.learned), Object.values(given)];
  const fitted: Fitted = due.length === 1 && there.length === 1 ? { [due[0]!]: there[0]! } : given;
  for (const [name, shape] of Object.entries(wear.learned)) {
    const found = fitted[name];
    if (!found)
      throw new AttackError(`What was learned has no "${name}"; it has ${Object.keys(fitted).join(", ") || "nothing"}.`);
    if (found.shape.length !== shape.length || found.shape.some((n, i) => n !== shape[i]))
      throw new AttackError(
        `What was learned for "${name}" is [${found.shape.join(", ")}], and here [${shape.join(", ")}] is needed; bring all pictures to one size with --resize or --crop.`,
      );
  }
  const worn = await compileWorn(engine, wear, model);
  const evaluation = await compileEvaluation(engine, judgedModel(model, worn), loss);
  return {
    loss: evaluation.loss,
    predict: (images) => evaluation.predict(images),
    evaluate: async (batch, images) => {
      const { valid } = await worn.put(batch, fitted, "wear");
      return evaluation.evaluate({ ...batch, ...valid }, images);
    },
    async run(batch, { signal } = {}): Promise<AttackOutcome> {
      signal?.throwIfAborted();
      const put = await worn.put(batch, fitted, "wear");
      const judged = { ...batch, ...put.valid };
      const images = { ...batch.images, ...put.images };
      return {
        images,
        steps: [],
        clean: await evaluation.evaluate(judged, batch.images),
        ...(await evaluation.evaluate(judged, images)),
        ...(put.hidden && { hidden: put.hidden }),
      };
    },
    dispose() {
      worn.dispose();
      evaluation.dispose();
    },
  };
}

interface Worn {
  /** Whether parts of the images are hidden, and predictions are per pixel. */
  readonly hides: boolean;
  put(
    batch: AttackBatch,
    fitted: Fitted,
    pass: string,
  ): Promise<{
    readonly images: Readonly<Record<string, Tensor<"float32">>>;
    readonly hidden: Tensor<"float32"> | undefined;
    /** The mask of the pixels that count, where some are hidden. */
    readonly valid: Pick<AttackBatch, "valid">;
    readonly feeds: Readonly<Record<string, Tensor>>;
  }>;
  dispose(): void;
}

async function compileWorn(engine: Engine, wear: Wear, model: AttackedModel): Promise<Worn> {
  const graph = new Graph();
  const inputs = wornInputs(graph, wear, model);
  const { images, hidden } = wear.apply(inputs);
  for (const [role, image] of Object.entries(images)) graph.output(`seen.${role}`, image);
  if (hidden) graph.output("hidden", hidden);
  const program = await engine.compile(lower(graph, engine.info.provider));
  const hides = hidden !== undefined && model.task.extent === "pixels";
  return {
    hides,
    async put(batch, fitted, pass) {
      const feeds: Record<string, Tensor> = { ...wear.draw?.(batch, pass), ...(batch.region && { region: batch.region }) };
      for (const [name, value] of Object.entries(fitted)) feeds[`learned.${name}`] = value;
      for (const [role, image] of Object.entries(batch.images)) feeds[`clean.${role}`] = image;
      const out = await program.run(pickInputs(program, feeds));
      const seen = Object.keys(images).map((role) => [role, out[`seen.${role}`] as Tensor<"float32">]);
      const mask = hidden && hides ? (out.hidden as Tensor<"float32">) : undefined;
      return {
        images: Object.fromEntries(seen),
        hidden: mask && tensor("float32", [mask.shape[0]!, ...mask.shape.slice(2)], mask.data),
        valid: mask ? { valid: shownPixels(mask, batch.valid) } : {},
        feeds,
      };
    },
    dispose: () => program.dispose(),
  };
}

/** 1 where a pixel is not hidden and its target known. */
function shownPixels(hidden: Tensor<"float32">, valid: Tensor<"float32"> | undefined): Tensor<"float32"> {
  const [batch, , height, width] = hidden.shape as [number, number, number, number];
  return tensor(
    "float32",
    [batch, height, width],
    hidden.data.map((h, i) => (h > 0 ? 0 : (valid?.data[i] ?? 1))),
  );
}

/** The model as it is judged: with a mask where pixels are hidden. */
const judgedModel = (model: AttackedModel, { hides }: Worn): AttackedModel => (hides ? { ...model, valid: true } : model);

function wornInputs(graph: Graph, wear: Wear, model: AttackedModel): WornInputs {
  const images = imagesOf(model);
  const roles = perturbedRoles(model);
  const input = (prefix: string, shapes: Readonly<Record<string, Shape>>) =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, graph.input(`${prefix}${name}`, "float32", shape)]));
  const [b, , h, w] = images[roles[0]!]!;
  return {
    clean: input("clean.", Object.fromEntries(roles.map((role) => [role, images[role]!]))),
    learned: input("learned.", wear.learned),
    drawn: input("", wear.drawn ?? {}),
    region: model.region ? graph.input("region", "float32", [b!, 1, h!, w!]) : undefined,
  };
}

/** From the gradients of the images to the next state of what is learned. */
function updateGraph(wear: Wear, model: AttackedModel): Graph {
  const graph = new Graph();
  const inputs = wornInputs(graph, wear, model);
  const { images } = wear.apply(inputs);
  const stepSize = graph.input("step_size", "float32", []);
  const [batch] = Object.values(images)[0]!.shape;
  // The gradient of each image, brought back through how it is worn, and their mean.
  const pulled = Object.entries(images)
    .map(([role, image]) => reduceSum(mul(image, graph.input(`gradient.${role}`, "float32", image.shape))))
    .reduce((a, b) => add(a, b));
  const sign = (model.goal ?? "untargeted") === "untargeted" ? 1 : -1;
  const raised = mul(pulled, sign / batch!);
  const penalty = wear.penalty?.(inputs.learned);
  const names = Object.keys(wear.learned);
  const slopes = livingGradients(
    "loss",
    penalty ? sub(raised, penalty) : raised,
    names.map((name) => inputs.learned[name]!),
  );
  names.forEach((name, i) => {
    graph.output(`next.${name}`, wear.step(name, { value: inputs.learned[name]!, gradient: slopes[i]!, stepSize }));
  });
  return graph;
}

const pickInputs = (program: Program, feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(program.inputs.flatMap(({ name }) => (feeds[name] ? [[name, feeds[name]]] : [])));

/** Numbers of a tensor, all alike. */
export const filled = (shape: Shape, value: number): Tensor<"float32"> =>
  tensor("float32", shape, new Float32Array(sizeOf(shape)).fill(value));
