import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tasks } from "../../vision/tasks/index.js";
import type { Check } from "../attack/audit.js";
import { flagOf } from "../attack/flag-of.js";
import { fieldsOf, typed } from "../attack/parameters.js";
import { readPlan } from "../attack/reopen.js";
import type { AttackSummary, Stage } from "../attack/summary.js";
import { modelName, shortPath } from "../report/words.js";
import { RunError } from "../runs/error.js";

/** A finished attack run, as a row of a table. */
export interface Row {
  readonly path: string;
  readonly task: keyof typeof tasks;
  /** What was done, by name: model, attack, each parameter as it is typed, data, goal, seed. */
  readonly facts: Readonly<Record<string, string>>;
  /** Parameters that are numbers, by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Parameters whose usual value follows from others. */
  readonly derived: readonly string[];
  readonly summary: AttackSummary;
  readonly audit: "passed" | "to look at" | "failed" | "none";
}

/** Several runs side by side: what tells them apart, and what came of each. */
export interface Comparison {
  readonly rows: readonly Row[];
  /** Names of the facts in which rows differ, the attack's first. */
  readonly differ: readonly string[];
  /** The metric that stands for the rest, and what it compares with. */
  readonly headline: AttackSummary["headline"];
  readonly against: "truth" | "prediction";
}

/**
 * Reads runs for a table. A directory of a sweep stands for all its runs.
 *
 * @throws RunError where a run is unfinished, no attack, or of another task than the others.
 */
export async function compareRuns(paths: readonly string[]): Promise<Comparison> {
  const rows: Row[] = [];
  for (const path of paths.flatMap(runsIn)) rows.push(await rowOf(path));
  const [first] = rows;
  if (!first) throw new RunError("there is no run to compare.");
  const other = rows.find((r) => r.task !== first.task);
  if (other)
    throw new RunError(`${other.path} is of ${other.task}, but ${first.path} is of ${first.task}; their numbers do not compare.`);
  const names = [...new Set(rows.flatMap((r) => Object.keys(r.facts)))];
  return {
    rows,
    differ: names.filter((name) => differs(rows, name) && !follows(rows, name)),
    headline: first.summary.headline,
    against: rows.every((r) => r.summary.metrics.truth) ? "truth" : "prediction",
  };
}

/** Whether rows that have the fact have several values of it; an attack without a parameter does not differ in it. */
const differs = (rows: readonly Row[], name: string): boolean => new Set(rows.flatMap((r) => r.facts[name] ?? [])).size > 1;

/** Whether a parameter that nobody need say (a step size that is a share of the radius) follows from the other numbers. */
function follows(rows: readonly Row[], name: string): boolean {
  if (!rows.some((r) => r.derived.includes(name))) return false;
  const having = rows.filter((r) => r.facts[name] !== undefined);
  const others = Object.keys(having[0]?.numbers ?? {}).filter((other) => other !== name && differs(having, other));
  const key = (r: Row) => others.map((other) => r.facts[other]).join(" ");
  const values = new Map(having.map((r) => [key(r), r.facts[name]]));
  return others.length > 0 && having.every((r) => values.get(key(r)) === r.facts[name]);
}

/** The runs of a sweep, or the run itself. */
function runsIn(path: string): string[] {
  if (existsSync(join(path, "run.json")) || !existsSync(join(path, "sweep.json"))) return [path];
  const { runs } = JSON.parse(readFileSync(join(path, "sweep.json"), "utf8")) as { readonly runs: readonly string[] };
  const there = new Set(readdirSync(path));
  return runs.filter((name) => there.has(name)).map((name) => join(path, name));
}

async function rowOf(path: string): Promise<Row> {
  const { plan } = await readPlan(path);
  const json = <T>(name: string): T | undefined =>
    existsSync(join(path, name)) ? (JSON.parse(readFileSync(join(path, name), "utf8")) as T) : undefined;
  const summary = json<AttackSummary>("summary.json");
  if (!summary) throw new RunError(`${path} is not finished: it has no summary.json; repeat the command that made it.`);
  const checks = json<readonly Check[]>("audit.json");
  const { attack, data, spec, goal, reference, seed, fit } = plan;
  const parameters = typed(attack).map(([flag, value]) => [flag.slice(2), value] as const);
  const values = Object.entries(attack.parameters).filter((p): p is [string, number] => typeof p[1] === "number");
  return {
    path,
    task: spec.task,
    facts: {
      attack: attack.name,
      ...Object.fromEntries(parameters),
      model: `${modelName(plan)} ${plan.model.sha256.slice(0, 6)}`,
      data: `${shortPath(data.path)}${data.split ? ` ${data.split}` : ""}`,
      corruption: data.corruption ?? "none",
      samples: String(summary.samples),
      sizes: JSON.stringify(fit),
      goal: goal.kind === "targeted" ? `towards ${goal.target}` : `away from ${reference}`,
      seed: String(seed),
    },
    numbers: Object.fromEntries(values.map(([name, value]) => [flagName(name), value])),
    derived: fieldsOf(attack.definition).flatMap((f) => (f.notes.usual === undefined ? [] : [flagName(f.name)])),
    summary,
    audit: !checks
      ? "none"
      : checks.some((c) => c.verdict === "failed")
        ? "failed"
        : checks.some((c) => c.verdict === "warning")
          ? "to look at"
          : "passed",
  };
}

/** A parameter as a column is called: step-size. */
const flagName = (name: string): string => flagOf(name).slice(2);

/** A metric of a row; null where it is infinite or was not measured. */
export const metricOf = ({ against }: Comparison, row: Row, stage: Stage, metric: string): number | null =>
  row.summary.metrics[against]?.[stage][metric] ?? null;

/** Metrics over all samples that the task has, without those of single classes. */
export const metricsOf = ({ rows, against }: Comparison): string[] => {
  const [first] = rows as [Row];
  return Object.keys(first.summary.metrics[against]?.clean ?? {}).filter((name) => name in tasks[first.task].formats);
};
