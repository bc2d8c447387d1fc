import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import { parseSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { compilePrediction, type PredictionProgram } from "../../methods/attacks/ascent/compile-ascent.js";
import { readImage } from "../../vision/data/node/image-file.js";
import type { SampleScores } from "../../vision/metrics/measure.js";
import { tasks } from "../../vision/tasks/index.js";
import { UsageError } from "../cli/errors.js";
import { hashModel } from "../hash-model.js";
import { nameOfModel } from "../name-of-model.js";
import { readPredicting } from "../read-predicting.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { attackedModel } from "./attacked-model.js";
import type { AttackPlan, TransferPlan } from "./plan.js";
import { type Prepared, withoutTruth } from "./prepare.js";
import { type AttackContext, type AttackRecord, classesIn, compare, preparedSample, type References } from "./run-attack.js";
import { demandSameClasses, sameClasses } from "./same-classes.js";
import { finiteValues, framingOf, type Stage } from "./summary.js";

// The adversarial images of a run on other models (transfer): measured when all samples are done, from the files that the run keeps, so that it makes no
// difference whether a model was named before the attack or long after. What was measured stands in transfer.jsonl and is not measured again.

/** A line of transfer.jsonl: one sample on one model. */
export interface TransferRecord {
  /** Of the model's content and what it takes and yields. */
  readonly model: string;
  readonly index: number;
  readonly classes?: number;
  /** Absent: the adversarial images themselves, where a run keeps no floats. */
  readonly scores: { readonly clean: References; readonly adversarial?: References; readonly saved: References };
}

/** What became of a run's images on another model. */
export interface TransferSummary {
  readonly model: string;
  readonly sha256: string;
  readonly samples: number;
  readonly metrics: Readonly<Record<string, Readonly<Partial<Record<Stage, Readonly<Record<string, number | null>>>>>>>;
  /**
   * One class for each picture: of the pictures that this model had right (towards a target: that did not show it), how many, and the share that the attack
   * turned on it as well.
   */
  readonly success?: { readonly of: number; readonly adversarial?: number; readonly saved: number };
  /** How many pictures are surrounded (mirrored at their edges, or with gray), and scaled, since this model takes only some sizes. */
  readonly framing?: { readonly padded: number; readonly scaled: number };
}

const keyOf = ({ sha256, spec }: TransferPlan): string =>
  createHash("sha256")
    .update(JSON.stringify([sha256, spec]))
    .digest("hex")
    .slice(0, 16);

/**
 * Measures what has not been measured yet, and sums up.
 *
 * @throws UsageError where a model names other classes than the attacked one, or its file has changed.
 */
export async function measureTransfer(
  context: AttackContext,
  run: RunDirectory<AttackRecord>,
  say: (text: string) => void,
): Promise<readonly TransferSummary[]> {
  const models = context.plan.transfer ?? [];
  if (models.length === 0) return [];
  const file = join(run.path, "transfer.jsonl");
  const before = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as TransferRecord)
    : [];
  const lines: TransferRecord[] = [];
  const summaries: TransferSummary[] = [];
  for (const model of models) {
    const on = await measureOn(context, model, { folder: run.path, records: run.records, before }, say);
    lines.push(...on.records);
    summaries.push(on.summary);
  }
  run.write("transfer.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return summaries;
}

/**
 * Measures a run's images on one other model; the run's directory is read only.
 *
 * @param images the run's directory and records, and what is known already.
 * @throws UsageError where the model names other classes than the attacked one, or its file has changed.
 */
export async function measureOn(
  context: AttackContext,
  model: TransferPlan,
  images: { readonly folder: string; readonly records: readonly AttackRecord[]; readonly before?: readonly TransferRecord[] },
  say: (text: string) => void,
): Promise<{ readonly records: readonly TransferRecord[]; readonly summary: TransferSummary }> {
  const { folder, before = [] } = images;
  const done = images.records.filter((r) => r.scores);
  const key = keyOf(model);
  const known = new Map(before.filter((r) => r.model === key).map((r) => [r.index, r]));
  const left = done.filter(({ index, floats }) => !known.has(index) || (floats && !known.get(index)!.scores.adversarial));
  if (left.length > 0) {
    say(`measuring ${left.length} samples on ${model.path}\n`);
    for (const record of await measured(context, model, left, folder)) known.set(record.index, record);
  }
  const records = done.map(({ index }) => known.get(index)!);
  return { records, summary: summed(context.plan, model, records, done) };
}

async function measured(
  context: AttackContext,
  other: TransferPlan,
  records: readonly AttackRecord[],
  folder: string,
): Promise<TransferRecord[]> {
  const { plan, target } = context;
  const { spec } = other;
  if ((await hashModel(context.at(other.path))) !== other.sha256)
    throw new UsageError(
      `${other.path} is another file than it was when the run was made; name it again with faultline transfer.`,
    );
  const theirs = {
    ...context,
    model: await readPredicting(context.at(other.path), spec),
    region: undefined,
    plan: { ...plan, spec, threat: { scale: plan.threat.scale } },
  };
  const task = tasks[spec.task];
  const shift = spec.labelOffset - plan.spec.labelOffset;
  let program: { readonly size: string; readonly run: PredictionProgram } | undefined;
  const found: TransferRecord[] = [];
  try {
    for (const record of records) {
      if (record.hidden !== undefined)
        throw new UsageError(
          `pixels that a ${plan.attack.name} hides would count on other models here; attack ${other.path} itself with what was learned: --perturbation ${plan.attack.name}.safetensors.`,
        );
      const prepared = await preparedSample(context, record.index);
      const { height, width } = prepared;
      const size = `${height}x${width}`;
      if (program?.size !== size) {
        program?.run.dispose();
        const attacked = await attackedModel(theirs, { batch: 1, height, width, valid: false });
        program = { size, run: await compilePrediction(context.engine, attacked) };
      }
      const predict = async (images: Prepared["images"]) => {
        const one = Object.fromEntries(Object.entries(images).map(([role, image]) => [role, stack([image])]));
        return unstack((await program!.run.run(one)).prediction, 0);
      };
      const clean = await predict(prepared.images);
      const { classes } = classesIn(clean, task);
      const same = haveSameClasses(plan, record.classes, other, classes);
      const to = {
        truth: same ? prepared.target && shifted(prepared.target, shift) : undefined,
        target: target && shifted(target(clean, spec.output), task.kind === "classes" ? shift : 0),
        prediction: task.ownTarget(clean, spec.output),
      };
      const measure = task.measure({ classes: classes ?? 1, ignore: [withoutTruth], output: spec.output });
      const scores = async (images: Prepared["images"]) => compare(measure, await predict(images), to, prepared.valid, undefined);
      const adversarial = record.floats && floatsOf(join(folder, record.floats));
      const saved: Record<string, Tensor<"float32">> = {};
      for (const [role, image] of Object.entries(record.files!)) saved[role] = await readImage(join(folder, image));
      found.push({
        model: keyOf(other),
        index: record.index,
        ...(classes !== undefined && { classes }),
        scores: {
          clean: await scores(prepared.images),
          ...(adversarial && { adversarial: await scores(adversarial) }),
          saved: await scores(saved),
        },
      });
    }
  } finally {
    program?.run.dispose();
  }
  return found;
}

/**
 * Whether two models count the same classes.
 *
 * @param own classes of the attacked model; undefined where it has none, or the run is older than that they were kept.
 * @throws UsageError where they do not, and what is measured depends on it.
 */
function haveSameClasses(
  { spec, model, goal }: AttackPlan,
  own: number | undefined,
  other: TransferPlan,
  theirs: number | undefined,
): boolean {
  const attacked = { path: model.path, spec, classes: own };
  const shown = { path: other.path, spec: other.spec, classes: theirs };
  if (sameClasses(attacked, shown)) return true;
  const { kind, wish } = tasks[spec.task];
  if (kind === "classes") demandSameClasses(attacked, shown);
  // How many boxes are seen does not depend on what they are called; the truth does.
  if (goal.kind === "targeted" && wish.judgedBy?.(goal.target)) return false;
  throw new UsageError(
    `${other.path} finds ${theirs} classes and ${model.path} ${own}, so their classes are not the same, and what is found cannot be held against one truth or wish; take a detector with the same, or a wish whose boxes are counted (--target vanish, flood).`,
  );
}

const floatsOf = (file: string): Record<string, Tensor<"float32">> =>
  Object.fromEntries(parseSafetensors(readFileSync(file)).tensors) as Record<string, Tensor<"float32">>;

/** Labels in another model's counting; whatever is no label stays as it is. */
function shifted(target: Tensor, by: number): Tensor {
  if (by === 0 || target.type !== "int64") return target;
  const labels = Array.from(target.data as BigInt64Array, (v) => (Number(v) === withoutTruth ? withoutTruth : Number(v) + by));
  return tensor("int64", target.shape, labels);
}

function summed(
  plan: AttackPlan,
  { path, sha256, spec }: TransferPlan,
  own: readonly TransferRecord[],
  records: readonly AttackRecord[],
): TransferSummary {
  const task = tasks[spec.task];
  const measure = task.measure({
    classes: Math.max(1, ...own.map((r) => r.classes ?? 1)),
    ignore: [withoutTruth],
    output: spec.output,
  });
  const metrics: Record<string, Partial<Record<Stage, Record<string, number | null>>>> = {};
  for (const reference of ["truth", "target", "prediction"] as const) {
    const over = (stage: Stage) => {
      const samples = own.flatMap(({ scores }) => (scores[stage] as References | undefined)?.[reference] ?? []);
      return samples.length > 0 && samples.length === own.filter(({ scores }) => scores[stage]).length && samples;
    };
    const found = (["clean", "adversarial", "saved"] as const).flatMap((stage) => {
      const samples = over(stage);
      return samples ? [[stage, finiteValues(measure.summarize(samples as SampleScores[]))] as const] : [];
    });
    if (found.length > 0) metrics[reference] = Object.fromEntries(found);
  }
  return {
    model: nameOfModel(path),
    sha256,
    samples: own.length,
    metrics,
    ...(task.kind === "classes" && task.extent === "image" && { success: successOf(plan, own) }),
    ...framingOf({ fit: plan.fit, spec }, records),
  };
}

/** Whom the attacker wins over, of those that were not his before. */
function successOf({ goal, reference }: AttackPlan, own: readonly TransferRecord[]): NonNullable<TransferSummary["success"]> {
  const valueAt = ({ scores }: TransferRecord, stage: Stage): number | undefined => {
    const at = scores[stage] as References | undefined;
    if (goal.kind === "targeted") return at?.target?.value ?? undefined;
    return (reference === "truth" ? (at?.truth ?? at?.prediction) : at?.prediction)?.value ?? undefined;
  };
  const [before, won] = goal.kind === "targeted" ? [0, 1] : [1, 0];
  const open = own.filter((r) => valueAt(r, "clean") === before);
  const share = (stage: Stage) => open.filter((r) => valueAt(r, stage) === won).length / Math.max(1, open.length);
  const floats = open.length > 0 && open.every(({ scores }) => scores.adversarial);
  return { of: open.length, ...(floats && { adversarial: share("adversarial") }), saved: share("saved") };
}
