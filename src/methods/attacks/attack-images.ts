import { stack, unstack } from "../../engine/tensor/arrays.js";
import { describe, sameShape, sizeOf, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { DataError } from "../../vision/data/error.js";
import { filledPart, Gathered, type Part, partsOf } from "../../vision/model/batches.js";
import { gradientSentences } from "../../vision/model/gradient-warnings.js";
import { checkedImages, type ImageBatch, type Images, type ImagesByRole, isTensor } from "../../vision/model/images.js";
import type { LikeImages, LoadedModel, ScoredPredictions, TargetOptions } from "../../vision/model/loaded-model.js";
import type { Targets } from "../../vision/model/targets.js";
import type { Task } from "../../vision/tasks/index.js";
import type { Goal } from "./attacked-model.js";
import { type Attack, budgetRemarks, checkAttack, compileAttack } from "./definition.js";
import { AttackError } from "./error.js";
import { inTiles } from "./in-tiles.js";
import type { NormName } from "./lengths.js";
import { lengths } from "./lengths.js";
import { type AttackOutcome, checkedOutcome } from "./outcome.js";
import type { Transform } from "./transforms/index.js";

export interface AttackOptions extends Pick<TargetOptions, "valid"> {
  /** Away from the targets (ground truth; default), or towards them (what the attacker wants to see). */
  readonly goal?: Goal;
  /** Random numbers depend on it and on the images' names alone; default 0. */
  readonly seed?: number;
  /** A stable name for each image; default its place: "0", "1" ... */
  readonly names?: readonly string[];
  /** Where pixels may change: 1 or 0 as [1, H, W] for all images, or [N, 1, H, W]; default everywhere. */
  readonly region?: Tensor;
  /** Of tasks with two images, those that may change; default both. */
  readonly perturb?: readonly string[];
  /** Expectation over transformation: the gradient is a mean over random transforms of the images. */
  readonly transform?: Transform;
  /** Images at a time; default the model's. */
  readonly batch?: number;
  /** Bytes that inner values of a step may take: what does not fit is computed again, which takes longer; default: all is kept. */
  readonly memory?: number;
  /** Called after each step. */
  readonly onProgress?: (progress: AttackProgress) => void;
  /** Stops between steps. */
  readonly signal?: AbortSignal;
}

export interface AttackProgress {
  /** Images that are done, and all. */
  readonly done: number;
  readonly total: number;
  /** The step of the batch in hand, counted from 1, and its mean loss. */
  readonly step: number;
  readonly restart: number;
  readonly loss: number;
}

export interface AttackResult<I = Tensor<"float32">> {
  /** The adversarial images, in the form of the given ones: float32, in the ball and in [0, 1]. */
  readonly images: I;
  /** The model on the clean images, held against the targets. */
  readonly before: ScoredPredictions;
  /** The model on the adversarial ones. */
  readonly after: ScoredPredictions;
  /**
   * Whether the attacker has what he wants. One prediction for an image: it is not the target any more (targeted: it is). One for each pixel: fewer
   * pixels are right than before, or, where there is no right and wrong, the loss is higher (targeted: the other way round).
   */
  readonly success: readonly boolean[];
  /** Size of each image's perturbation, in the attack's norm. */
  readonly perturbation: readonly number[];
  /** Each image's loss before every step. */
  readonly losses: readonly (readonly number[])[];
  /** Further numbers that the attack had to say, by what they are ("radius", "queries"), for each image; empty where there are none. */
  readonly found: Readonly<Record<string, readonly number[]>>;
  /** Where several attacks took their turn (autoattack): the share of right pixels (or whether the class is right) after each, for each image. */
  readonly turns: readonly { readonly attack: string; readonly correct: readonly number[] }[];
  /** What makes the numbers doubtful: gradients of zero, or not a number; scaled images; what nobody said of the model. */
  readonly warnings: readonly string[];
}

/**
 * Attacks any number of images, in batches.
 *
 * @param images float32 [N, 3, H, W] in [0, 1] whatever the model takes, or a list of [3, H, W]; by role where a task takes two.
 * @param targets ground truth to drive away from; with `goal: "targeted"` what to drive towards; undefined: away from the model's own predictions.
 * @throws DataError where images or targets are none, or do not belong together; AttackError where the attack cannot do what is asked.
 * @example
 * const model = await loadModel("net.onnx", { task: "classification", range: "imagenet" });
 * const result = await attack(model, images, labels, cospgd({ epsilon: 8 / 255 }));
 * result.success; // [true, true, false, ...]
 */
export async function attack<I extends Images | ImagesByRole, P>(
  model: LoadedModel,
  images: I,
  targets: Targets | undefined,
  method: Attack<P>,
  options: AttackOptions = {},
): Promise<AttackResult<LikeImages<I>>> {
  model.demandOpen();
  demandAttack(method);
  const { goal = "untargeted", seed = 0, perturb, transform, memory, signal } = options;
  const given = checkedImages(images, model.task);
  const batch = model.batchOf(options, given.count);
  const names = checkedNames(options.names, given.count);
  const region = options.region && checkedRegion(options.region, given);
  if (targets === undefined && goal === "targeted")
    throw new AttackError("A targeted attack needs targets: say what the attacker wants to see.");
  const { target, truths, valid } = await model.checkTargets(
    given,
    targets ?? ownTargets(model, await model.predict(images, { batch })),
    options,
  );
  const aim = { task: model.task, goal };
  await checkAttack(method, aim);

  const { height, width } = given;
  const { tiling } = model;
  const part = model.takes ?? method.definition.partOf?.(batch) ?? batch;
  const compiled = await compileAttack(model.engine, method, {
    ...(tiling
      ? await inTiles(method as Attack, aim, { batch: part, height, width }, tiling, (size) => model.unframed(size))
      : { predictor: await model.predictor(given, part) }),
    ...(part !== batch && { batch }),
    task: model.task,
    ignore: model.spec.ignore,
    ...(memory !== undefined && { memory: checkedMemory(memory) }),
    goal,
    valid: valid !== undefined,
    region: region !== undefined,
    ...(perturb && { perturb }),
    ...(transform && { transform }),
  });
  const found = new GatheredOutcomes(given);
  try {
    for (const part of partsOf(given.count, batch)) {
      signal?.throwIfAborted();
      const cut = <T extends Tensor>(t: T): T => filledPart(t, part, batch);
      const cutImages = Object.fromEntries(Object.entries(given.byRole).map(([role, t]) => [role, cut(t)]));
      const outcome = await compiled.run(
        {
          images: cutImages,
          target: cut(target),
          ...(valid && { valid: cut(valid) }),
          ...(region && { region: cut(region) }),
          samples: Array.from({ length: batch }, (_, i) => names[Math.min(part.from + i, part.to - 1)]!),
          seed,
        },
        {
          ...(signal && { signal }),
          onStep: ({ step, restart, loss }) =>
            options.onProgress?.({
              done: part.from,
              total: given.count,
              step: step + 1,
              restart,
              loss: mean(loss.subarray(0, part.to - part.from)),
            }),
        },
      );
      found.add(checkedOutcome(method, outcome, cutImages), part);
    }
  } finally {
    compiled.dispose();
  }
  const [before, after] = [found.clean, found.attacked].map((e) => model.evaluation(e.whole, truths, valid)) as [
    ScoredPredictions,
    ScoredPredictions,
  ];
  const adversarial = found.images;
  return {
    images: (isTensor(images) || Array.isArray(images) ? Object.values(adversarial)[0]! : adversarial) as LikeImages<I>,
    before,
    after,
    success: succeeded(model.task, goal, before, after),
    perturbation: sizes(adversarial, given, method.budget.norm),
    losses: found.losses,
    found: found.numbers,
    turns: found.turns,
    warnings: [
      ...model.warnings({ height, width }),
      ...(targets === undefined ? ["No targets were given: the attack drives away from the model's own predictions."] : []),
      ...budgetRemarks(method),
      ...gradientSentences(found.zero, found.nan, given.count),
    ],
  };
}

/** A definition that was not called, or a name, is an easy mistake in JavaScript. */
function demandAttack(method: unknown): void {
  if (typeof method === "function")
    throw new AttackError(`${method.name} is not called: write ${method.name}({ epsilon: 8 / 255 }).`);
  if (typeof method !== "object" || method === null || !("definition" in method))
    throw new AttackError(
      `The attack is ${typeof method === "string" ? `"${method}"` : String(method)}; give one that was made, such as cospgd({ epsilon: 8 / 255 }).`,
    );
}

function checkedMemory(bytes: number): number {
  if (Number.isFinite(bytes) && bytes > 0) return bytes;
  throw new AttackError(`memory is a number of bytes above 0, such as 2 * 2 ** 30, not ${bytes}.`);
}

function checkedNames(names: readonly string[] | undefined, count: number): readonly string[] {
  if (!names) return Array.from({ length: count }, (_, i) => String(i));
  if (names.length !== count) throw new DataError(`There are ${count} images, but ${names.length} names.`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new DataError(`Two images are named "${twice}"; random numbers depend on the names, so give each its own.`);
  return names;
}

function checkedRegion(region: Tensor, { count, height, width }: ImageBatch): Tensor<"float32"> {
  const one = sameShape(region.shape, [1, height, width]);
  if (!one && !sameShape(region.shape, [count, 1, height, width]))
    throw new DataError(
      `The region is ${describe(region)}; it is [1, ${height}, ${width}], or [${count}, 1, ${height}, ${width}] here.`,
    );
  const values = Float32Array.from(toNumbers(region));
  const odd = values.find((v) => v !== 0 && v !== 1);
  if (odd !== undefined) throw new DataError(`The region holds ${odd}; it is 1 where pixels may change and 0 elsewhere.`);
  const given = tensor("float32", region.shape, values);
  return one ? stack(new Array<Tensor<"float32">>(count).fill(given)) : given;
}

const ownTargets = ({ task, spec }: LoadedModel, predictions: Tensor): readonly Tensor[] =>
  Array.from({ length: predictions.shape[0]! }, (_, i) => task.ownTarget(unstack(predictions, i), spec.output));

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Predictions of all images with what was found of them. */
class GatheredJudgements {
  readonly #prediction: Gathered<Tensor<"float32">>;
  readonly #loss: Gathered<Tensor<"float32">>;
  readonly #correct: Gathered<Tensor<"float32">>;

  constructor(count: number) {
    this.#prediction = new Gathered(count);
    this.#loss = new Gathered(count);
    this.#correct = new Gathered(count);
  }

  add({ prediction, loss, correct }: AttackOutcome["clean"], part: Part): void {
    this.#prediction.add(prediction, part);
    this.#loss.add(tensor("float32", [loss.length], loss), part);
    this.#correct.add(tensor("float32", [correct.length], correct), part);
  }

  get whole() {
    return { prediction: this.#prediction.whole, loss: this.#loss.whole, correct: this.#correct.whole };
  }
}

class GatheredOutcomes {
  readonly clean: GatheredJudgements;
  readonly attacked: GatheredJudgements;
  readonly losses: number[][];
  readonly numbers: Record<string, number[]> = {};
  readonly turns: { readonly attack: string; readonly correct: number[] }[] = [];
  /** Images whose gradient was 0 everywhere at some step, and those with one that was not a number somewhere. */
  readonly zero: number[] = [];
  readonly nan: number[] = [];
  readonly #images: Readonly<Record<string, Gathered<Tensor<"float32">>>>;

  constructor({ count, byRole }: ImageBatch) {
    this.clean = new GatheredJudgements(count);
    this.attacked = new GatheredJudgements(count);
    this.losses = Array.from({ length: count }, () => []);
    this.#images = Object.fromEntries(Object.keys(byRole).map((role) => [role, new Gathered<Tensor<"float32">>(count)]));
  }

  add(outcome: AttackOutcome, part: Part): void {
    this.clean.add(outcome.clean, part);
    this.attacked.add(outcome, part);
    for (const [role, whole] of Object.entries(this.#images)) whole.add(outcome.images[role]!, part);
    for (const [turn, { attack, correct }] of (outcome.after ?? []).entries()) {
      this.turns[turn] ??= { attack, correct: [] };
      this.turns[turn].correct.push(...correct.subarray(0, part.to - part.from));
    }
    for (let i = part.from; i < part.to; i++) {
      const at = i - part.from;
      for (const [name, values] of Object.entries(outcome.found ?? {})) {
        this.numbers[name] ??= [];
        this.numbers[name].push(values[at]!);
      }
      this.losses[i]!.push(...outcome.steps.map((s) => s.loss[at]!));
      if (outcome.steps.some((s) => s.zeroGradient[at] === 1)) this.zero.push(i);
      if (outcome.steps.some((s) => s.nanGradient[at]! > 0)) this.nan.push(i);
    }
  }

  get images(): Record<string, Tensor<"float32">> {
    return Object.fromEntries(Object.entries(this.#images).map(([role, { whole }]) => [role, whole]));
  }
}

function succeeded({ extent, judgedBy }: Task, goal: Goal, before: ScoredPredictions, after: ScoredPredictions): boolean[] {
  const towards = goal === "targeted";
  return Array.from(after.loss, (loss, i) => {
    const [right, rightBefore] = [after.correct[i]!, before.correct[i]!];
    if (extent === "image") return right === (towards ? 1 : 0);
    if (judgedBy === "correct") return towards ? right > rightBefore : right < rightBefore;
    return towards ? loss < before.loss[i]! : loss > before.loss[i]!;
  });
}

/** The largest perturbation of each sample's images. */
function sizes(
  adversarial: Readonly<Record<string, Tensor<"float32">>>,
  { byRole, count }: ImageBatch,
  norm: NormName,
): number[] {
  return Array.from({ length: count }, (_, i) =>
    Math.max(
      ...Object.entries(adversarial).map(([role, { data, shape }]) => {
        const n = sizeOf(shape.slice(1));
        const clean = byRole[role]!.data;
        return lengths[norm](Float64Array.from({ length: n }, (_, k) => data[i * n + k]! - clean[i * n + k]!));
      }),
    ),
  );
}
