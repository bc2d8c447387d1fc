import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import type { Engine } from "../../engine/runtime/engine.js";
import { tasks } from "../../vision/tasks/index.js";
import type { TransferPlan } from "../attack/plan.js";
import { dataOf, type OpenPlan, readPlan, reopen } from "../attack/reopen.js";
import { type AttackRecord, plannedBatches } from "../attack/run-attack.js";
import { measureOn } from "../attack/transfer.js";
import { fingerprintOf } from "../data/fingerprint.js";
import { openData } from "../data/open-data.js";
import { nameOfModel } from "../name-of-model.js";
import { readPredicting } from "../read-predicting.js";
import { attackName, modelName, radius } from "../report/words.js";
import { RunError } from "../runs/error.js";
import { readRecords } from "../runs/run-directory.js";

// The adversarial images of runs on other models, measured on the model that is evaluated.

const value = z.number().nullable().describe("null: infinite, or not measured");
const model = z.strictObject({ model: z.string(), sha256: z.string() });

/** What another run's images do to this model. */
export const transferFromSchema = z.strictObject({
  run: z.string().describe("name of the run's directory"),
  attack: z.string(),
  from: model.describe("the model that the run attacked"),
  on: model.describe("the model that its images were shown to"),
  samples: z.number().int(),
  against: z.enum(["truth", "target", "prediction"]),
  clean: value.describe("this model on the same pictures before the attack"),
  adversarial: value.optional().describe("on the adversarial images; absent where the run kept only those saved with 8 bits"),
  saved: value.describe("on the images as saved with 8 bits"),
  turned: z
    .strictObject({ of: z.number().int(), share: z.number() })
    .optional()
    .describe(
      "classes of pictures: how many this model had right (towards a target: did not show it), and the share of them that was turned",
    ),
});
export type TransferFrom = z.infer<typeof transferFromSchema>;

/** A run whose images are taken. */
export interface SourceRun extends OpenPlan {
  readonly path: string;
  readonly records: readonly AttackRecord[];
}

/**
 * Opens runs whose images are to be measured on another model.
 *
 * @throws RunError where one is no finished run of the same task, with images.
 */
export async function sourceRuns(
  paths: readonly string[],
  task: keyof typeof tasks,
  modules: readonly string[] = [],
): Promise<SourceRun[]> {
  const found: SourceRun[] = [];
  for (const path of paths) {
    if (!existsSync(join(path, "run.json")) && existsSync(join(path, "sweep.json")))
      throw new RunError(`${path} holds several runs; name the one whose images are meant (${path}/NAME).`);
    const { plan, plugins } = await readPlan(path, modules);
    if (plan.spec.task !== task)
      throw new RunError(
        `${path} attacks a model for ${plan.spec.task}, and this one is for ${task}; its images do not go with it.`,
      );
    const records = readRecords<AttackRecord>(join(path, "records.jsonl"), "ignore");
    const total = plannedBatches(plan).flat().length;
    if (records.length < total)
      throw new RunError(`${path} holds ${records.length} of ${total} samples; repeat the command that made it to finish it.`);
    if (plan.attack.budget.epsilon === 0) throw new RunError(`${path} is without an attack: its images are the clean ones.`);
    found.push({ path, plan, plugins, records });
  }
  return found;
}

/**
 * Measures the images of runs on a model.
 *
 * @throws RunError, DataError, UsageError where a run's data are not there any more, or its classes are others.
 */
export async function transferFrom(
  sources: readonly SourceRun[],
  model: TransferPlan,
  engine: Engine,
  say: (text: string) => void,
): Promise<TransferFrom[]> {
  const found: TransferFrom[] = [];
  for (const source of sources) found.push(await measuredOf(source, model, engine, say));
  return found;
}

const runName = (path: string): string => basename(resolve(path));

async function measuredOf(
  { path, plan, plugins, records }: SourceRun,
  model: TransferPlan,
  engine: Engine,
  say: (text: string) => void,
): Promise<TransferFrom> {
  const { dataset } = await openData(plan.data.path, dataOf(plan), plan.spec.size);
  if (plan.data.sha256 !== undefined && (await fingerprintOf(dataset)) !== plan.data.sha256)
    throw new RunError(
      `${plan.data.path} holds other samples than those that ${path} attacked (their names, pictures or truth).`,
    );
  // The attacked model itself need not be there any more.
  const file = await readPredicting(model.path, model.spec);
  const context = await reopen({ plan, plugins }, engine, path, { model: file });
  const { summary } = await measureOn(context, model, { folder: path, records }, (text) => say(`${runName(path)}: ${text}`));
  const { metrics, success, samples } = summary;
  const task = tasks[plan.spec.task];
  const { name } = task.measure({ classes: 1, ignore: [], output: plan.spec.output }).headline;
  const against = plan.goal.kind === "targeted" ? "target" : plan.reference === "truth" && metrics.truth ? "truth" : "prediction";
  const at = metrics[against];
  const { norm, epsilon } = plan.attack.budget;
  return {
    run: runName(path),
    attack: `${attackName(plan)}${epsilon === undefined ? "" : `, ${norm}, epsilon ${radius(epsilon, norm)}`}`,
    from: { model: modelName(plan), sha256: plan.model.sha256 },
    on: { model: nameOfModel(model.path), sha256: model.sha256 },
    samples,
    against,
    clean: at?.clean?.[name] ?? null,
    ...(at?.adversarial && { adversarial: at.adversarial[name] ?? null }),
    saved: at?.saved?.[name] ?? null,
    ...(success && { turned: { of: success.of, share: success.adversarial ?? success.saved } }),
  };
}

const fileSchema = z.strictObject({ transfers: z.array(transferFromSchema) });

/** Where a model's evaluation keeps what other runs' images came to. */
export const transferFile = (root: string): string => join(root, "transfer.json");

/** @throws RunError where the file is damaged. */
export function readTransfers(root: string): readonly TransferFrom[] {
  const file = transferFile(root);
  if (!existsSync(file)) return [];
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, "utf8"))).transfers;
  } catch {
    throw new RunError(`${file} is damaged; repeat faultline evaluate with --transfer-from.`);
  }
}
