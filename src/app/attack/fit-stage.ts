import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeNpy } from "../../engine/tensor/npy.js";
import { Random } from "../../engine/tensor/random.js";
import { parseSafetensors, writeSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { readTensors } from "../../engine/tensor/tensor-files.js";
import { fitAttack } from "../../methods/attacks/definition.js";
import { AttackError } from "../../methods/attacks/error.js";
import { compileEvaluation } from "../../methods/attacks/evaluation.js";
import type { FitProgress, FitRule, Fitted, Lessons } from "../../methods/attacks/fitted/fitted.js";
import type { Dataset } from "../../vision/data/dataset.js";
import { DataError } from "../../vision/data/error.js";
import { encodeImage } from "../../vision/data/node/image-file.js";
import { tasks } from "../../vision/tasks/index.js";
import { hashFile } from "../hash-file.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { attackedModel } from "./attacked-model.js";
import { batchOf, imagesOf } from "./batch-of.js";
import type { Places } from "./places.js";
import type { AttackPlan } from "./plan.js";
import { type Prepared, prepare, withoutTruth } from "./prepare.js";
import type { AttackContext, AttackRecord } from "./run-attack.js";

// What some attacks do before they attack: they learn something on a part of the data set, which no number is about. It lies in the run's directory.

/** Learned so far, with the number of steps, while learning is under way. */
const partOf = (what: string): string => `${what}.part.safetensors`;
const fileOf = (what: string): string => `${what}.safetensors`;
/** Steps between two savings of what is there; it is saved when Ctrl-C stops the learning, too. */
const savedEvery = 50;

/** Indices of the samples that are learned from, of those that a run is about; none where it learns elsewhere, or nothing. */
export function lessonIndices({ fitOn, seed }: Pick<AttackPlan, "fitOn" | "seed">, chosen: readonly number[]): readonly number[] {
  if (fitOn?.kind !== "share") return [];
  const count = Math.min(chosen.length - 1, Math.max(1, Math.round(fitOn.share * chosen.length)));
  return new Random(seed, "attack/fit")
    .permutation(chosen.length)
    .slice(0, count)
    .map((i) => chosen[i]!);
}

/** The rule of an attack that learns. */
const ruleOf = ({ attack }: AttackPlan): FitRule<never> | undefined => attack.definition.fit as FitRule<never> | undefined;

export interface FitStageHooks {
  readonly onProgress?: (note: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Has the attack learn, or takes what it has learned before.
 *
 * @param indices samples of the lessons' data set.
 * @returns undefined where the signal stopped it: what is there is kept for the next time.
 */
export async function fitStage(
  context: AttackContext,
  run: RunDirectory<AttackRecord>,
  indices: readonly number[],
  { onProgress, signal }: FitStageHooks,
): Promise<Fitted | undefined> {
  const { plan, engine } = context;
  const rule = ruleOf(plan)!;
  const { what } = rule;
  const done = await learnedIn(plan, run.path, context.at);
  if (done) {
    if (!existsSync(join(run.path, fileOf(what)))) await writeLearned(plan, run, done);
    return done;
  }
  const dataset = context.lessons ?? context.dataset;
  const { lessons, dispose, size } = await lessonsFrom(context, dataset, indices);
  const save = ({ fitted, steps }: FitProgress) =>
    run.write(
      partOf(what),
      writeSafetensors(new Map<string, Tensor>([...Object.entries(fitted), [stepsName, tensor("int64", [], [steps])]])),
    );
  try {
    const model = await attackedModel(context, { batch: plan.batch, ...size });
    const progress = await fitAttack(engine, plan.attack, model, lessons, {
      from: begun(join(run.path, partOf(what))),
      signal,
      onStep: (at, total, loss) => {
        if (at.steps % savedEvery === 0) save(at);
        onProgress?.(`learning the ${what}: step ${at.steps}/${total}, loss ${loss.toPrecision(4)}`);
      },
    });
    if (progress.steps < rule.steps(plan.attack.parameters as never)) {
      save(progress);
      return undefined;
    }
    await writeLearned(plan, run, progress.fitted);
    rmSync(join(run.path, partOf(what)), { force: true });
    return progress.fitted;
  } finally {
    dispose();
  }
}

const stepsName = "steps";

function begun(file: string): FitProgress | undefined {
  if (!existsSync(file)) return undefined;
  const { tensors } = parseSafetensors(readFileSync(file));
  const { [stepsName]: steps, ...fitted } = Object.fromEntries(tensors);
  return { fitted: fitted as Fitted, steps: Number(steps!.data[0]) };
}

/**
 * What a run has learned: from its own directory, or from the file that its plan names.
 *
 * @returns undefined where it has learned nothing yet.
 * @throws AttackError where the file holds something else, or is another one than it was.
 */
export async function learnedIn(plan: AttackPlan, folder: string, at: Places): Promise<Fitted | undefined> {
  const rule = ruleOf(plan);
  if (!rule) return undefined;
  const own = join(folder, fileOf(rule.what));
  if (existsSync(own)) return tensorsIn(own);
  if (plan.fitOn?.kind !== "file") return undefined;
  const { path: named, sha256 } = plan.fitOn;
  const path = at(named);
  if (!existsSync(path)) throw new AttackError(`${named} is not there any more, and the run was made with it; put it back.`);
  if ((await hashFile(path)) !== sha256) throw new AttackError(`${named} has changed since the run was made.`);
  return tensorsIn(path);
}

/** Tensors of a file that was given or written; pictures get the axis of a batch of one. */
async function tensorsIn(path: string): Promise<Fitted> {
  const tensors = await readTensors(path);
  for (const [name, t] of tensors)
    if (t.type !== "float32") throw new AttackError(`${path}: "${name}" is ${t.type}; what was learned is float32.`);
  return Object.fromEntries(
    ([...tensors] as [string, Tensor<"float32">][]).map(([name, t]) => [
      name,
      t.shape.length === 3 ? tensor("float32", [1, ...t.shape], t.data) : t,
    ]),
  );
}

async function writeLearned(plan: AttackPlan, run: RunDirectory<AttackRecord>, fitted: Fitted): Promise<void> {
  const { what, show } = ruleOf(plan)!;
  run.write(fileOf(what), writeSafetensors(new Map(Object.entries(fitted))));
  const shown = await show(plan.attack.parameters as never, fitted);
  const many = Object.keys(fitted).length > 1;
  for (const [name, value] of Object.entries(fitted)) run.write(`${what}${many ? `.${name}` : ""}.npy`, writeNpy(value));
  for (const [name, { picture }] of Object.entries(shown))
    run.write(`${what}${many ? `.${name}` : ""}.png`, await encodeImage(picture));
}

/** The samples as batches of one size, again and again in an order that the seed decides. */
async function lessonsFrom(
  context: AttackContext,
  dataset: Dataset,
  indices: readonly number[],
): Promise<{
  readonly lessons: Lessons;
  readonly size: { readonly height: number; readonly width: number; readonly valid: boolean };
  readonly dispose: () => void;
}> {
  const { engine, plan } = context;
  const { batch, seed, spec, fit, attack } = plan;
  const task = tasks[spec.task];
  const read = async (index: number): Promise<Prepared | undefined> => {
    try {
      return prepare(await dataset.sample(index), index, task.roles, spec, fit, withoutTruth);
    } catch (error) {
      if (error instanceof DataError) return undefined;
      throw error;
    }
  };
  let first: Prepared | undefined;
  for (const index of indices) {
    first = await read(index);
    if (first) break;
  }
  if (!first) throw new AttackError(`${attack.name}: not one of the ${indices.length} samples to learn from could be read.`);
  const size = { height: first.height, width: first.width, valid: first.valid !== undefined && task.extent !== "image" };
  const evaluation = await compileEvaluation(engine, await attackedModel(context, { batch, ...size }));
  /** Position in an endless row of the samples, in another order each time around. */
  const sampleAt = (position: number): number => {
    const round = Math.floor(position / indices.length);
    const order = orders.get(round) ?? new Random(seed, `attack/fit/${round}`).permutation(indices.length);
    orders.clear();
    orders.set(round, order);
    return indices[order[position % indices.length]!]!;
  };
  const orders = new Map<number, readonly number[]>();
  return {
    size,
    dispose: () => evaluation.dispose(),
    lessons: {
      async batch(step) {
        const group: Prepared[] = [];
        for (let i = 0; i < batch; i++) {
          const sample = (await read(sampleAt(step * batch + i))) ?? first;
          if (sample.height !== size.height || sample.width !== size.width)
            throw new AttackError(
              `${attack.name} learns from pictures of one size: ${first.id} is ${size.width}x${size.height}, ${sample.id} is ${sample.width}x${sample.height}; bring them to one with --resize HxW, or --shorter and --crop.`,
            );
          group.push(sample);
        }
        const driven = batchOf(context, group, await evaluation.predict(imagesOf(group)));
        const problem = driven.problems.find((sentence) => sentence !== undefined);
        if (problem && driven.problems.every(Boolean)) throw new DataError(problem);
        return { ...driven.batch, samples: group.map(({ id }, i) => `${id}/${i}`) };
      },
    },
  };
}
