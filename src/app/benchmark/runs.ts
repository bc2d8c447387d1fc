import { existsSync } from "node:fs";
import { join } from "node:path";
import { tasks } from "../../vision/tasks/index.js";
import type { Check } from "../attack/audit.js";
import { flagOf } from "../attack/flag-of.js";
import { fieldsOf, typed } from "../attack/parameters.js";
import type { AttackPlan } from "../attack/plan.js";
import { readPlan } from "../attack/reopen.js";
import type { AttackRecord } from "../attack/run-attack.js";
import type { AttackSummary, Stage } from "../attack/summary.js";
import { nameOfModel } from "../name-of-model.js";
import { shortPath } from "../report/words.js";
import { readRecords } from "../runs/run-directory.js";
import { readJson } from "./find.js";

/** A finished attack run, as a row of a table. */
export interface Row {
  readonly path: string;
  /** What it is called beside the others: as much of its path as tells it apart. */
  readonly name: string;
  readonly plan: AttackPlan;
  readonly task: keyof typeof tasks;
  /** What was done, by name: model, attack, each parameter as it is typed, data, goal, seed. */
  readonly facts: Readonly<Record<string, string>>;
  /** Parameters that are numbers, by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Parameters whose usual value follows from others. */
  readonly derived: readonly string[];
  readonly summary: AttackSummary;
  readonly audit: Verdict;
  /** What the audit found that needs a look. */
  readonly flags: readonly Pick<Check, "name" | "verdict" | "sentence">[];
  /** What the images of this run were compared with: the truth where there is one, else the model's own clean prediction. */
  readonly against: "truth" | "prediction";
  /** What was done to the images before anything else; absent: nothing. */
  readonly corruption?: { readonly kind: string; readonly severity: number; readonly text: string };
}

export type Verdict = "passed" | "to look at" | "failed" | "none";

/** What tells models apart: the file, and what is said of it. */
export const modelKey = ({ plan: { model, spec } }: Pick<Row, "plan">): string => `${model.sha256} ${JSON.stringify(spec)}`;

/**
 * Reads finished runs. @param names of the runs, as they are shown. @param elsewhere where plugins of the runs may lie that have been moved.
 *
 * @throws RunError where one is of another form.
 */
export async function readRows(
  paths: readonly string[],
  names: readonly string[],
  elsewhere?: readonly string[],
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [i, path] of paths.entries()) rows.push(await rowOf(path, names[i]!, elsewhere));
  const models = modelNames(rows);
  return rows.map((row) => ({ ...row, facts: { ...row.facts, model: models.get(modelKey(row))! } }));
}

/** What models are called: by their files; models of one name, by the beginning of their hashes too. */
function modelNames(rows: readonly Row[]): Map<string, string> {
  const keys = new Map(rows.map((row) => [modelKey(row), row.plan.model]));
  const plainOf = (model: AttackPlan["model"]) => nameOfModel(model.path);
  const hashed = (model: AttackPlan["model"]) => `${plainOf(model)} ${model.sha256.slice(0, 6)}`;
  const all = [...keys.values()];
  const names = new Map<string, string>();
  for (const [key, model] of keys) {
    const alike = all.filter((other) => plainOf(other) === plainOf(model));
    const same = alike.filter((other) => other.sha256 === model.sha256);
    const name = alike.length === 1 ? plainOf(model) : hashed(model);
    // One file with several specifications: what it takes and yields is said otherwise.
    const nth = same.length > 1 ? ` (${[...names.values()].filter((n) => n.startsWith(`${name} (`)).length + 1})` : "";
    names.set(key, `${name}${nth}`);
  }
  return names;
}

async function rowOf(path: string, name: string, elsewhere?: readonly string[]): Promise<Row> {
  const { plan } = await readPlan(path, elsewhere);
  const summary = readJson<AttackSummary>(join(path, "summary.json"));
  const file = join(path, "audit.json");
  const checks = existsSync(file) ? readJson<readonly Check[]>(file) : undefined;
  const { attack, data, spec, goal, reference, seed, fit, threat } = plan;
  const parameters = typed(attack).map(([flag, value]) => [flag.slice(2), value] as const);
  const values = Object.entries(attack.parameters).filter((p): p is [string, number] => typeof p[1] === "number");
  const [, kind, severity] = /^(\w+):(\d)/.exec(data.corruption ?? "") ?? [];
  return {
    path,
    name,
    plan,
    task: spec.task,
    facts: {
      attack: attack.name,
      ...Object.fromEntries(parameters),
      ...(threat.eot && { eot: `${shortPath(threat.eot.transform)} x${threat.eot.samples}` }),
      ...(threat.region !== undefined && { region: shortPath(threat.region) }),
      ...(threat.perturb && { perturb: threat.perturb.join(" ") }),
      model: nameOfModel(plan.model.path),
      data: `${shortPath(data.path)}${data.split ? ` ${data.split}` : ""}${data.variant ? ` ${data.variant}` : ""}`,
      corruption: data.corruption ?? "none",
      samples: String(summary.samples),
      sizes: JSON.stringify(fit),
      goal: goal.kind === "targeted" ? `towards ${goal.target}` : `away from ${reference}`,
      seed: String(seed),
    },
    numbers: Object.fromEntries(values.map(([name, value]) => [flagName(name), value])),
    derived: fieldsOf(attack.definition).flatMap((f) => (f.notes.usual === undefined ? [] : [flagName(f.name)])),
    summary,
    audit: verdictOf(checks),
    flags: (checks ?? []).filter((c) => c.verdict === "failed" || c.verdict === "warning"),
    against: summary.metrics.truth ? "truth" : "prediction",
    ...(kind !== undefined && { corruption: { kind, severity: Number(severity), text: data.corruption! } }),
  };
}

function verdictOf(checks: readonly Check[] | undefined): Verdict {
  if (!checks) return "none";
  if (checks.some((c) => c.verdict === "failed")) return "failed";
  return checks.some((c) => c.verdict === "warning") ? "to look at" : "passed";
}

/** A parameter as a column is called: step-size. */
const flagName = (name: string): string => flagOf(name).slice(2);

/** A metric of a row; null where it is infinite or was not measured. */
export const metricOf = ({ against, summary }: Row, stage: Stage, metric: string): number | null =>
  summary.metrics[against]?.[stage][metric] ?? null;

/** Metrics over all samples that the rows' task has, without those of single classes. */
export const metricsOf = (rows: readonly Row[]): string[] => {
  const names = new Set(rows.flatMap((row) => Object.keys(row.summary.metrics[row.against]?.clean ?? {})));
  return [...names].filter((name) => name in tasks[rows[0]!.task].formats);
};

/** Whether nothing may change: such a run is the model's clean number, or its number under a corruption. */
export const isUnattacked = ({ plan: { attack } }: Row): boolean =>
  attack.definition.follows === "nothing" && attack.budget.epsilon === 0;

/** How many classes the model has, by the first record; undefined where it has none. */
export function classesOf({ path }: Pick<Row, "path">): number | undefined {
  const file = join(path, "records.jsonl");
  if (!existsSync(file)) return undefined;
  return readRecords<AttackRecord>(file, "ignore").find((r) => r.classes !== undefined)?.classes;
}
