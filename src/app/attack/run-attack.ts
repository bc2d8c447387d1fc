import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import { Random } from "../../engine/tensor/random.js";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { type CompiledAttack, compileAttack } from "../../methods/attacks/definition.js";
import { AttackError } from "../../methods/attacks/error.js";
import type { Fitted } from "../../methods/attacks/fitted/fitted.js";
import { checkedOutcome } from "../../methods/attacks/outcome.js";
import type { Conversion } from "../../vision/data/conversions.js";
import type { Dataset } from "../../vision/data/dataset.js";
import { writeImage } from "../../vision/data/node/image-file.js";
import type { Measure, SampleScores } from "../../vision/metrics/measure.js";
import { type Task, tasks, type WishMaker } from "../../vision/tasks/index.js";
import { type Levels, levelsOf } from "../../vision/tasks/levels.js";
import { sentenceOf } from "../cli/errors.js";
import type { Plugins } from "../plugins/plugins.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { attackedModel } from "./attacked-model.js";
import { batchOf, imagesOf } from "./batch-of.js";
import { type BySize, bySize } from "./by-size.js";
import { type Compiling, whileTelling } from "./compiling.js";
import { type PerturbationSize, perturbationSize, saveable } from "./eight-bit.js";
import { fitStage, lessonIndices } from "./fit-stage.js";
import type { Places } from "./places.js";
import type { AttackPlan } from "./plan.js";
import { type Prepared, prepare, withoutTruth } from "./prepare.js";

/** What the run keeps of one sample. Numbers are of one sample; `scores` compare with each reference that exists. */
export interface AttackRecord {
  readonly index: number;
  readonly sample: string;
  readonly error?: string;
  /** Present where the failure was the machine's: the sample is tried again when the run is resumed. */
  readonly retry?: true;
  readonly size?: readonly [height: number, width: number];
  /** What was done to the pictures as they were read. */
  readonly converted?: readonly Conversion[];
  /** Classes of the model, where it has classes. */
  readonly classes?: number;
  /** What of the clean prediction takes few values, or ties. */
  readonly levels?: Levels;
  /** Mean loss per pixel: of the clean image, before each step, of the result, and of the saved 8-bit image. */
  readonly loss?: {
    readonly clean: number;
    readonly steps: readonly number[];
    readonly adversarial: number;
    readonly saved: number;
  };
  readonly scores?: {
    readonly clean: References;
    readonly adversarial: References;
    readonly saved: References;
  };
  /** Where predictions are pictures like the input: how far the unattacked picture itself is from the truth. */
  readonly untouched?: SampleScores;
  /** Size of the saved perturbation, by image role. */
  readonly perturbation?: Readonly<Record<string, PerturbationSize>>;
  /** Largest share over the steps of gradient elements that are zero, or not a number. */
  readonly gradient?: { readonly zero: number; readonly nan: number };
  /** Further numbers that the attack had to say. */
  readonly found?: Readonly<Record<string, number>>;
  /** Where the attack is several: what each of them came to, by its name. */
  readonly members?: Readonly<Record<string, MemberRecord>>;
  /** Where several attacks took their turn: the share of correct pixels after each, by its name. */
  readonly after?: Readonly<Record<string, number>>;
  /** Where a patch hides pixels that have a prediction each: which share of them. They are in no score. */
  readonly hidden?: number;
  /** Files of the saved 8-bit images, by role, relative to the run. */
  readonly files?: Readonly<Record<string, string>>;
  /** With `--save float`: the file of the adversarial images themselves, float32 [3, H, W] by role. */
  readonly floats?: string;
}

/** Of one member of an ensemble: its own adversarial image. */
export interface MemberRecord {
  readonly loss: number;
  readonly scores: References;
}

/** Scores against the truth, against what the attacker wants, and against the model's own clean prediction. */
export interface References {
  readonly truth?: SampleScores;
  readonly target?: SampleScores;
  readonly prediction: SampleScores;
}

export interface AttackContext {
  readonly engine: Engine;
  readonly model: OnnxModel;
  readonly plan: AttackPlan;
  /** Where on this machine a file or folder lies that the plan names. */
  readonly at: Places;
  /** The modules that the plan names. */
  readonly plugins: Plugins;
  readonly dataset: Dataset;
  readonly target: WishMaker | undefined;
  readonly region: Tensor<"float32"> | undefined;
  /** What the attack learns from, where that is another data set. */
  readonly lessons?: Dataset | undefined;
  /** What it has learned, where it learns. */
  readonly fitted?: Fitted | undefined;
}

export interface AttackHooks {
  /** Called when samples are done, and after each step within a batch. */
  readonly onProgress?: (done: number, note: string) => void;
  /** Called where the attack learns or takes what was learned before, with what, from how many samples, and where. */
  readonly onLearning?: (what: string, samples: number, on: NonNullable<AttackPlan["fitOn"]>) => void;
  /** Called when it is known how many picture sizes there are, where there are several. */
  readonly onSizes?: (sizes: Pick<BySize, "sizes" | "programs">) => void;
  /** Called while the attack is compiled for a size of pictures, where that takes long. */
  readonly onCompile?: (compiling: Compiling) => void;
  /** Called when the first batch is done. */
  readonly onFirstBatch?: (records: readonly AttackRecord[]) => void;
  readonly signal: AbortSignal;
}

/** What of a plan says which samples it is about. */
type Selection = Pick<AttackPlan, "data" | "seed" | "fitOn" | "batch" | "shard">;

/**
 * Indices of the samples that this run is to do, in order: whole batches, so that results do not depend on how the work is cut. A limit takes a seeded
 * choice: folders are sorted by class, and the first ones would be of one class.
 */
export function plannedBatches(plan: Selection): number[][] {
  const chosen = chosenSamples(plan);
  const lessons = new Set(lessonIndices(plan, chosen));
  const measured = chosen.filter((i) => !lessons.has(i));
  const batches: number[][] = [];
  for (let start = 0; start < measured.length; start += plan.batch) batches.push(measured.slice(start, start + plan.batch));
  const { shard } = plan;
  return shard ? batches.filter((_, i) => i % shard.count === shard.index - 1) : batches;
}

function chosenSamples({ data: { length, limit = length }, seed }: Selection): number[] {
  const all = Array.from({ length }, (_, i) => i);
  if (limit >= length) return all;
  return new Random(seed, "attack/samples")
    .permutation(length)
    .slice(0, limit)
    .sort((a, b) => a - b);
}

/** Where the attack learns: what it has learned, on the samples that are not measured, or on another data set. */
async function withFitted(
  context: AttackContext,
  run: RunDirectory<AttackRecord>,
  { onLearning, onProgress, signal }: Pick<AttackHooks, "onLearning" | "onProgress" | "signal">,
): Promise<AttackContext | undefined> {
  const { plan, lessons } = context;
  if (!plan.attack.definition.fit) return context;
  const indices = lessons ? Array.from({ length: lessons.length }, (_, i) => i) : lessonIndices(plan, chosenSamples(plan));
  if (plan.fitOn?.kind === "share" && indices.length === 0)
    throw new AttackError(
      `${plan.attack.name} learns on some samples and is measured on others, and there is only one; add samples, learn on other data with --fit-on, or apply what was learned before with --perturbation.`,
    );
  onLearning?.(plan.attack.definition.fit.what, indices.length, plan.fitOn!);
  const fitted = await fitStage(context, run, indices, { onProgress: (note) => onProgress?.(run.records.length, note), signal });
  return fitted && { ...context, fitted };
}

/**
 * Does what is left of a run, picture size by picture size, so that each is compiled for once; stops between steps when the signal says so. Records are
 * appended as they come, and are in the order of the data set when all are there.
 */
export async function runAttack(
  given: AttackContext,
  run: RunDirectory<AttackRecord>,
  { onLearning, onProgress, onSizes, onCompile, onFirstBatch, signal }: AttackHooks,
): Promise<void> {
  const context = await withFitted(given, run, { ...(onLearning && { onLearning }), ...(onProgress && { onProgress }), signal });
  if (!context) return;
  const programs = new Programs(context, onCompile);
  const finished = new Set(run.records.map((r) => r.index));
  const left = plannedBatches(context.plan).filter((batch) => !batch.every((i) => finished.has(i)));
  const total = left.flat().length;
  const { groups, ...found } = await bySize(context.dataset, context.plan.fit, left, {
    signal,
    onProgress: (looked) => onProgress?.(finished.size, `looking at sizes: ${looked}/${total}`),
  });
  if (found.sizes > 1) onSizes?.(found);
  try {
    for (const batch of groups) {
      if (batch.every((i) => finished.has(i))) continue;
      if (signal.aborted) return;
      const records = await attackBatch(context, programs, run, batch, signal, (note) => onProgress?.(finished.size, note));
      if (!records) return;
      const fresh = records.filter((r) => !finished.has(r.index));
      if (finished.size === 0) onFirstBatch?.(fresh);
      run.append(fresh);
      for (const r of fresh) finished.add(r.index);
      onProgress?.(finished.size, "");
    }
    run.sort();
  } finally {
    await programs.dispose();
  }
}

async function attackBatch(
  context: AttackContext,
  programs: Programs,
  run: RunDirectory<AttackRecord>,
  indices: readonly number[],
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<AttackRecord[] | undefined> {
  const { dataset } = context;
  const records: AttackRecord[] = [];
  const failed = (index: number, sample: string, error: unknown): AttackRecord => ({
    index,
    sample,
    error: sentenceOf(error),
    ...((error as NodeJS.ErrnoException).code === "ENOSPC" && { retry: true as const }),
  });
  const groups = new Map<string, Prepared[]>();
  for (const index of indices) {
    try {
      const prepared = await preparedSample(context, index);
      const key = `${Object.values(prepared.images)[0]!.shape} ${prepared.valid !== undefined} ${prepared.target !== undefined}`;
      groups.set(key, [...(groups.get(key) ?? []), prepared]);
    } catch (error) {
      records.push(failed(index, `${dataset.name} ${index}`, error));
    }
  }
  for (const group of groups.values()) {
    try {
      records.push(...(await attackGroup(context, programs, run, group, signal, note)));
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!perSample(error)) throw error;
      records.push(...group.map(({ index, id }) => failed(index, id, error)));
    }
  }
  return records.sort((a, b) => a.index - b.index);
}

/** A sample as the run attacks it. @throws DataError */
export const preparedSample = async (
  { plan: { spec, fit }, dataset }: Pick<AttackContext, "plan" | "dataset">,
  index: number,
): Promise<Prepared> => prepare(await dataset.sample(index), index, tasks[spec.task].roles, spec, fit, withoutTruth);

/** Errors that belong to samples (and to models that do not suit their size); all others (the runtime, the attack) end the run. */
const perSample = (error: unknown): boolean =>
  error instanceof Error &&
  (["DataError", "MetricError", "SpecError", "SizeError", "ModelError", "GraphError"].includes(error.name) ||
    (error as NodeJS.ErrnoException).code === "ENOSPC");

async function attackGroup(
  context: AttackContext,
  programs: Programs,
  run: RunDirectory<AttackRecord>,
  group: readonly Prepared[],
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<AttackRecord[]> {
  const { plan } = context;
  const task = tasks[plan.spec.task];
  const roles = Object.keys(group[0]!.images);
  const compiled = await programs.get(group);
  const images = imagesOf(group);
  const clean = await compiled.predict(images);
  const { batch, problems: mislabeled, truth, wanted, own } = batchOf(context, group, clean);
  const { norm, epsilon = Number.POSITIVE_INFINITY, steps } = plan.attack.budget;
  const found = await compiled.run(batch, {
    signal,
    onStep: ({ step, loss }) => note(`step ${step + 1}${steps ? `/${steps}` : ""}, loss ${mean(loss).toPrecision(4)}`),
  });
  const outcome = checkedOutcome(plan.attack, found, images);

  const saved = Object.fromEntries(
    roles.map((role) => [
      role,
      stack(group.map((p, i) => saveable(unstack(outcome.images[role]!, i), p.images[role]!, norm, epsilon))),
    ]),
  );
  const again = await compiled.evaluate(batch, saved);
  const measure = task.measure({ classes: clean.shape[1]!, ignore: [withoutTruth], output: plan.spec.output });
  const scores = (prediction: Tensor, i: number): References =>
    compare(
      measure,
      unstack(prediction, i),
      { truth: truth[i], target: wanted?.[i], prediction: own[i]! },
      group[i]!.valid,
      outcome.hidden && unstack(outcome.hidden, i),
    );
  const records: AttackRecord[] = [];
  for (const [i, p] of group.entries()) {
    const problem = mislabeled[i];
    if (problem) {
      records.push({ index: p.index, sample: p.id, error: problem });
      continue;
    }
    const files: Record<string, string> = {};
    for (const role of roles) {
      files[role] = `images/${imageName(p)}${roles.length > 1 ? `.${role}` : ""}.png`;
      mkdirSync(dirname(join(run.path, files[role])), { recursive: true });
      await writeImage(join(run.path, files[role]), unstack(saved[role]!, i));
    }
    const floats = plan.save === "float" ? `images/${imageName(p)}.safetensors` : undefined;
    if (floats) {
      const found = new Map(roles.map((role) => [role, unstack(outcome.images[role]!, i)]));
      writeFileSync(join(run.path, floats), writeSafetensors(found));
    }
    records.push({
      index: p.index,
      sample: p.id,
      size: [p.height, p.width],
      ...(p.converted && { converted: p.converted }),
      ...classesIn(unstack(clean, i), task),
      ...levelsFound(unstack(clean, i), task),
      loss: {
        clean: outcome.clean.loss[i]!,
        steps: outcome.steps.map((s) => s.loss[i]!),
        adversarial: outcome.loss[i]!,
        saved: again.loss[i]!,
      },
      scores: { clean: scores(clean, i), adversarial: scores(outcome.prediction, i), saved: scores(again.prediction, i) },
      ...(task.kind === "picture" && truth[i] && { untouched: measure.sample(p.images[task.roles[0]]!, truth[i], p.valid) }),
      perturbation: Object.fromEntries(roles.map((role) => [role, perturbationSize(unstack(saved[role]!, i), p.images[role]!)])),
      ...(outcome.steps.length > 0 && {
        gradient: {
          zero: Math.max(0, ...outcome.steps.map((s) => s.zeroGradient[i]!)),
          nan: Math.max(0, ...outcome.steps.map((s) => s.nanGradient[i]!)),
        },
      }),
      ...(outcome.found && {
        // JSON has no word for what is not a number.
        found: Object.fromEntries(
          Object.entries(outcome.found).flatMap(([name, values]) => (Number.isFinite(values[i]) ? [[name, values[i]!]] : [])),
        ),
      }),
      ...(outcome.members && {
        members: Object.fromEntries(
          outcome.members.map(({ name, loss, prediction }) => [name, { loss: loss[i]!, scores: scores(prediction, i) }]),
        ),
      }),
      ...(outcome.after && { after: Object.fromEntries(outcome.after.map(({ attack, correct }) => [attack, correct[i]!])) }),
      ...(outcome.hidden && { hidden: mean(unstack(outcome.hidden, i).data as Float32Array) }),
      files,
      ...(floats && { floats }),
    });
  }
  return records;
}

/** How many classes a prediction has, where it has classes. */
export function classesIn({ shape: [rows] }: Tensor, { kind }: Task): Pick<AttackRecord, "classes"> {
  return kind === "classes" ? { classes: rows! } : kind === "boxes" ? { classes: rows! - 4 } : {};
}

function levelsFound(clean: Tensor, task: Task): Pick<AttackRecord, "levels"> {
  const levels = levelsOf(clean, task);
  return levels ? { levels } : {};
}

/** Scores of one prediction against each reference that there is. */
export function compare(
  measure: Measure,
  prediction: Tensor,
  to: { truth: Tensor | undefined; target: Tensor | undefined; prediction: Tensor },
  valid: Tensor | undefined,
  hidden: Tensor | undefined,
): References {
  const shown = hidden && shownOf(hidden, undefined);
  return {
    ...(to.truth && { truth: measure.sample(prediction, to.truth, hidden ? shownOf(hidden, valid) : valid) }),
    ...(to.target && { target: measure.sample(prediction, to.target, shown) }),
    prediction: measure.sample(prediction, to.prediction, shown),
  };
}

/** The mask of the pixels that are not hidden, and known. */
const shownOf = (hidden: Tensor, valid: Tensor | undefined): Tensor<"float32"> =>
  tensor(
    "float32",
    hidden.shape,
    Float32Array.from(hidden.data as Float32Array, (h, i) => (h > 0 ? 0 : Number(valid?.data[i] ?? 1))),
  );

/** The name of a sample's saved image: that of its source, in folders as there. What file systems do not take is left out, and a number tells such names apart. */
function imageName({ id, index }: Prepared): string {
  const parts = id.split("/").map((part) => part.replaceAll(/[^\p{L}\p{N}._+@=() -]/gu, "_").replace(/^\.+/, "_"));
  const name = parts.join("/");
  return name === id ? name : `${name}-${index}`;
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The compiled attack for one size of image and batch at a time: what is attacked comes by size. */
class Programs {
  #current: { readonly key: string; readonly compiled: Promise<CompiledAttack> } | undefined;

  /** Seconds that the last size took. */
  #before: number | undefined;

  constructor(
    private readonly context: AttackContext,
    private readonly onCompile: AttackHooks["onCompile"],
  ) {}

  /** @throws what compiling for the size throws; it is not tried again. */
  async get(group: readonly Prepared[]): Promise<CompiledAttack> {
    const { engine, plan } = this.context;
    const [, height, width] = Object.values(group[0]!.images)[0]!.shape as [number, number, number];
    const valid = group[0]!.valid !== undefined && tasks[plan.spec.task].extent === "pixels";
    const key = `${group.length} ${height} ${width} ${valid}`;
    if (this.#current?.key !== key) {
      await this.dispose();
      const began = Date.now();
      const tell = (stage: Compiling["stage"]) =>
        this.onCompile?.({ height, width, stage, seconds: (Date.now() - began) / 1000, before: this.#before });
      const compiled = whileTelling(tell, async (stage) => {
        const attacked = await attackedModel(this.context, { batch: group.length, height, width, valid });
        stage("the model is read for this size");
        const compiled = await compileAttack(engine, plan.attack, attacked, this.context.fitted);
        stage("done");
        this.#before = (Date.now() - began) / 1000;
        return compiled;
      });
      this.#current = { key, compiled };
    }
    return this.#current.compiled;
  }

  async dispose(): Promise<void> {
    const compiled = await this.#current?.compiled.catch(() => undefined);
    compiled?.dispose();
    this.#current = undefined;
  }
}
