import { conversionNames, conversionText } from "../../vision/data/conversions.js";
import type { AttackSummary } from "../attack/summary.js";
import { shortPath } from "../report/words.js";
import { modelKey, type Row } from "./runs.js";

/** Runs whose numbers stand beside each other: of one task, one metric, the same samples, the same goal. */
export interface Group {
  readonly rows: readonly Row[];
  readonly task: Row["task"];
  readonly metric: AttackSummary["headline"];
  readonly against: Row["against"];
  /** What sets the group apart from the others, by name: data, limit, seed, sizes, goal. */
  readonly setting: Readonly<Record<string, string>>;
  /** Models by their keys, in the order in which they came. */
  readonly models: ReadonlyMap<string, string>;
  /** Names of the facts in which rows differ, the attack's first. */
  readonly differ: readonly string[];
  /** What makes numbers within the group less than comparable: sentences. */
  readonly notes: readonly string[];
}

/** Rows in groups whose numbers may be compared. Groups are in the order of their first rows. */
export function groupsOf(rows: readonly Row[]): Group[] {
  const dataOf = dataKeys(rows);
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify([dataOf(row), settingOf(row)]);
    const there = groups.get(key);
    if (there) there.push(row);
    else groups.set(key, [row]);
  }
  const names = [...groups.values()].map((of) => [...new Set(of.map((row) => row.facts.data!))].join(", "));
  return [...groups.values()].map((of, i) => {
    // Other contents of one name are told apart by their hashes.
    const alike = [...groups.values()].some((other, k) => names[k] === names[i] && dataOf(other[0]!) !== dataOf(of[0]!));
    const hash = of.find((row) => !row.corruption)?.plan.data.sha256?.slice(0, 6);
    return groupOf(of, alike && hash !== undefined ? `${names[i]} ${hash}` : names[i]!);
  });
}

function groupOf(rows: readonly Row[], data: string): Group {
  const [first] = rows as [Row];
  const names = [...new Set(rows.flatMap((r) => Object.keys(r.facts)))];
  return {
    rows,
    task: first.task,
    metric: first.summary.headline,
    against: first.against,
    setting: { data, ...settingOf(first) },
    models: new Map(rows.map((row) => [modelKey(row), row.facts.model!])),
    differ: names.filter((name) => differs(rows, name) && !follows(rows, name)),
    notes: notesOf(rows),
  };
}

/** Everything but the data that numbers must share to be compared, in words. */
function settingOf({
  task,
  summary,
  against,
  plan: { data, fit, goal, seed, fitOn, spec },
}: Row): Readonly<Record<string, string>> {
  const { mismatch: _, ...pictures } = fit;
  return {
    task,
    metric: `${summary.headline.name} against ${against === "truth" ? "the ground truth" : "the model's own clean prediction"}`,
    // Which samples a limit takes is the seed's choice.
    samples: data.limit === undefined ? `all ${data.length}` : `${data.limit} of ${data.length}, chosen by seed ${seed}`,
    sizes: fit.mismatch === "tile" || Object.keys(pictures).length > 0 ? JSON.stringify(pictures) : "as they are",
    ...(fitOn?.kind === "share" && { "learned on": `a share of ${fitOn.share}, seed ${seed}` }),
    ignored: spec.ignore.length > 0 ? spec.ignore.join(", ") : "nothing",
    goal: goal.kind === "targeted" ? `towards ${goal.target}` : "untargeted",
  };
}

/**
 * What tells data apart: the hash of the contents. That of corrupted data is another, so it is taken from a run of the same data without corruption: of the
 * same path, or else of the same name and length where there is only one.
 */
function dataKeys(rows: readonly Row[]): (row: Row) => string {
  const named = ({ plan: { data } }: Row, path: string) => [path, data.split, data.variant, data.length].join("|");
  const hashes = new Map<string, Set<string>>();
  for (const row of rows) {
    const { sha256, path } = row.plan.data;
    if (sha256 === undefined || row.corruption) continue;
    for (const key of [named(row, path), `name ${named(row, shortPath(path))}`])
      hashes.set(key, (hashes.get(key) ?? new Set()).add(sha256));
  }
  const only = (key: string) => {
    const found = hashes.get(key);
    return found?.size === 1 ? [...found][0]! : undefined;
  };
  return (row) => {
    const { sha256, path } = row.plan.data;
    if (sha256 !== undefined && !row.corruption) return sha256;
    return only(named(row, path)) ?? only(`name ${named(row, shortPath(path))}`) ?? named(row, path);
  };
}

/** Whether rows that have the fact have several values of it; an attack without a parameter does not differ in it. */
const differs = (rows: readonly Row[], name: string): boolean => new Set(rows.flatMap((r) => r.facts[name] ?? [])).size > 1;

/** Whether a parameter that nobody need say (a step size that is a share of the radius) follows from the other numbers. */
export function follows(rows: readonly Row[], name: string): boolean {
  if (!rows.some((r) => r.derived.includes(name))) return false;
  const having = rows.filter((r) => r.facts[name] !== undefined);
  const others = Object.keys(having[0]?.numbers ?? {}).filter((other) => other !== name && differs(having, other));
  const key = (r: Row) => others.map((other) => r.facts[other]).join(" ");
  const values = new Map(having.map((r) => [key(r), r.facts[name]]));
  return others.length > 0 && having.every((r) => values.get(key(r)) === r.facts[name]);
}

/** Of runs over the same pictures: the counts of the run that has most. */
function largest(counts: readonly NonNullable<Row["summary"]["converted"]>[]): NonNullable<Row["summary"]["converted"]> {
  return Object.fromEntries(conversionNames.map((name) => [name, Math.max(0, ...counts.map((c) => c[name] ?? 0))]));
}

function notesOf(rows: readonly Row[]): string[] {
  const several = (of: (row: Row) => string | number | undefined) => {
    const values = new Set(rows.map(of));
    return values.size > 1 ? [...values].map((v) => v ?? "none").join(", ") : undefined;
  };
  const versions = several((r) => r.plan.version);
  const samples = several((r) => r.summary.samples);
  const seeds = several((r) => r.plan.seed);
  const providers = several((r) => r.plan.runtime.provider);
  const threads = several((r) => r.plan.runtime.threads);
  const ways = several((r) => r.plan.fit.mismatch);
  const shards = rows.filter((r) => r.plan.shard).length;
  const failed = rows.reduce((sum, r) => sum + r.summary.errors.length, 0);
  const converted = conversionText(largest(rows.map((r) => r.summary.converted ?? {})), "rounded to 8");
  const assumed = new Set(rows.flatMap((r) => ((r.plan.assumed ?? []).length > 0 ? [r.facts.model!] : [])));
  return [
    ...(samples
      ? [`The runs are over different numbers of samples (${samples}), so their numbers are not of the same pictures.`]
      : []),
    ...(failed > 0
      ? [`${failed} ${failed === 1 ? "sample" : "samples"} failed in some runs and are in none of their numbers.`]
      : []),
    ...(shards > 0
      ? [`${shards} of the runs are parts (shards) and stand for their samples alone; join them with faultline merge.`]
      : []),
    ...(seeds ? [`The runs differ in their seeds (${seeds}).`] : []),
    ...(versions ? [`The runs were made by different versions of Faultline (${versions}).`] : []),
    ...(providers ? [`The runs were computed by different providers (${providers}); last digits may differ for that.`] : []),
    ...(threads
      ? [`The runs were computed with different numbers of threads (${threads}); last digits may differ for that.`]
      : []),
    ...(ways ? [`Pictures of sizes that a model does not take were treated in different ways (${ways}).`] : []),
    ...(converted === "" ? [] : [`Pictures that were converted as they were read: ${converted}.`]),
    ...(assumed.size > 0
      ? [
          `Part of what ${[...assumed].join(", ")} takes or yields was assumed, since nobody said it (faultline doctor checks it).`,
        ]
      : []),
  ];
}

/** What tells groups apart, by name: only settings in which they differ. */
export function apart(groups: readonly Group[]): readonly string[] {
  const names = [...new Set(groups.flatMap((g) => Object.keys(g.setting)))];
  const told = names.filter((name) => new Set(groups.map((g) => g.setting[name])).size > 1);
  return groups.length > 1 && told.length === 0 ? ["data"] : told;
}
