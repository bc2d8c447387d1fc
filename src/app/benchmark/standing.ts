import { naturalOrder } from "../../vision/data/natural-order.js";
import { radius } from "../report/words.js";
import { type CorruptionErrors, corruptionErrors, place } from "./corruption-error.js";
import { follows, type Group } from "./groups.js";
import { isUnattacked, metricOf, modelKey, type Row } from "./runs.js";

/** An attack at one setting, as a column: all models under it. */
export interface Column {
  readonly key: string;
  /** "PGD 8/255", with what else tells it from the other columns. */
  readonly label: string;
  /** All its parameters. */
  readonly title: string;
  /** What the attacker may do: norm and radius. Absent where the search goes as far as it must: then there is no worst case over it. */
  readonly threat: string | undefined;
}

/** A run's number. */
export interface Valued {
  readonly row: Row;
  /** null: infinite, or not measured. */
  readonly value: number | null;
}

/** What one model came to within a group. Values are of the group's metric. */
export interface Standing {
  readonly key: string;
  readonly model: string;
  readonly rows: readonly Row[];
  /** Absent where no run says it. */
  readonly clean: Valued | undefined;
  /** By the keys of columns. */
  readonly attacked: ReadonlyMap<string, Valued>;
  /** The worst over all attacks of one threat: SemSegBench's ReM. */
  readonly worst: readonly Worst[];
  readonly corrupted: readonly (Valued & { readonly kind: string; readonly severity: number })[];
  readonly corruption: CorruptionErrors;
  readonly audits: { readonly failed: readonly Row[]; readonly toLookAt: readonly Row[] };
}

export interface Worst {
  readonly threat: string;
  readonly value: number;
  readonly row: Row;
  /** Over how many attacks, of how many that any model of the group was put under. */
  readonly over: number;
  readonly of: number;
}

export interface Board {
  readonly group: Group;
  readonly columns: readonly Column[];
  readonly threats: readonly string[];
  /** Corruptions of any model, kind and severity, in the order of ImageNet-C. */
  readonly corruptions: readonly { readonly kind: string; readonly severity: number }[];
  readonly standings: readonly Standing[];
  /** Of runs that say the same with other numbers, or twice: sentences. */
  readonly notes: readonly string[];
}

/** A group's leaderboard: the best under its worst attack within the largest radius first, then (without attacks) the best clean. */
export function boardOf(group: Group): Board {
  const attacks = group.rows.filter((row) => !isUnattacked(row));
  const columns = columnsOf(attacks);
  const threats = [...new Set(columns.flatMap((c) => c.threat ?? []))].sort(naturalOrder);
  const corruptions = corruptionsOf(group.rows);
  const notes: string[] = [];
  const standings = [...group.models].map(([key, model]) => {
    const rows = group.rows.filter((row) => modelKey(row) === key);
    const attacked = new Map<string, Valued>();
    for (const row of rows.filter((r) => !isUnattacked(r))) {
      const valued = { row, value: metricOf(row, "adversarial", group.metric.name) };
      const before = attacked.get(columnKey(row));
      if (before) notes.push(twice(before, valued));
      else attacked.set(columnKey(row), valued);
    }
    const clean = untouched(group, rows, undefined, notes);
    const corrupted = corruptions.flatMap(({ kind, severity }) => {
      const valued = untouched(group, rows, `${kind}:${severity}`, notes);
      return valued ? [{ ...valued, kind, severity }] : [];
    });
    return {
      key,
      model,
      rows,
      clean,
      attacked,
      worst: threats.flatMap((threat) => worstOf(group, columns, attacked, threat)),
      corrupted,
      corruption: corruptionErrors(group, corruptions, corrupted),
      audits: { failed: rows.filter((r) => r.audit === "failed"), toLookAt: rows.filter((r) => r.audit === "to look at") },
    };
  });
  const sign = group.metric.better === "higher" ? 1 : -1;
  const last = threats.at(-1);
  const rank = (s: Standing) => {
    const value = last === undefined ? s.clean?.value : s.worst.find((w) => w.threat === last)?.value;
    return value === null || value === undefined ? Number.POSITIVE_INFINITY : -sign * value;
  };
  // Without Infinity - Infinity: models without a number are alike.
  standings.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  return { group, columns, threats, corruptions, standings, notes: [...new Set(notes)] };
}

/** The number of images that nobody attacked: of a run without an attack, or of what another run says of its clean images. */
function untouched(group: Group, rows: readonly Row[], corruption: string | undefined, notes: string[]): Valued | undefined {
  const fitting = rows
    .filter((r) => (r.corruption && `${r.corruption.kind}:${r.corruption.severity}`) === corruption)
    .toSorted((a, b) => Number(isUnattacked(b)) - Number(isUnattacked(a)));
  const [row] = fitting;
  if (!row) return undefined;
  const valued = { row, value: metricOf(row, "clean", group.metric.name) };
  const other = fitting.find((r) => metricOf(r, "clean", group.metric.name) !== valued.value);
  if (other)
    notes.push(
      `${row.name} and ${other.name} do not agree on the ${corruption ?? "clean"} number of ${row.facts.model}; that of ${row.name} is shown.`,
    );
  return valued;
}

const twice = (before: Valued, now: Valued): string =>
  before.value === now.value
    ? `${now.row.name} says the same as ${before.row.name}, and is counted once.`
    : `${now.row.name} has the setting of ${before.row.name} and another number; that of ${before.row.name} is shown.`;

function worstOf({ metric }: Group, columns: readonly Column[], attacked: ReadonlyMap<string, Valued>, threat: string): Worst[] {
  const all = columns.filter((c) => c.threat === threat);
  const finite = all.flatMap(({ key }) => {
    const valued = attacked.get(key);
    return valued && valued.value !== null ? [{ row: valued.row, value: valued.value }] : [];
  });
  const sign = metric.better === "higher" ? 1 : -1;
  const [worst] = finite.toSorted((a, b) => sign * (a.value - b.value));
  return worst ? [{ threat, ...worst, over: finite.length, of: all.length }] : [];
}

/** What makes the setting of an attack, whatever the model and the data. */
const settingFacts = ({
  facts: { model: _, data: __, samples: ___, sizes: ____, ...own },
}: Row): Readonly<Record<string, string>> => own;
const columnKey = (row: Row): string => JSON.stringify(settingFacts(row));

function columnsOf(rows: readonly Row[]): Column[] {
  const byKey = new Map(rows.map((row) => [columnKey(row), row]));
  const first = [...byKey.values()];
  return [...byKey].map(([key, row]) => {
    const own = settingFacts(row);
    const { definition, budget } = row.plan.attack;
    const alike = first.filter((r) => r.facts.attack === row.facts.attack);
    const told = Object.keys(own).filter(
      (name) =>
        !["attack", "epsilon"].includes(name) && new Set(alike.map((r) => r.facts[name])).size > 1 && !follows(alike, name),
    );
    const norms = new Set(first.map((r) => r.plan.attack.budget.norm));
    const length = budget.epsilon === undefined ? "" : ` ${radius(budget.epsilon, budget.norm)}`;
    const words = told.flatMap((name) => {
      // A corruption has a name of its own, and so has what the attack drives away from.
      if (name === "corruption" || name === "goal") return own[name] === "none" ? [] : [own[name]!];
      return name === "norm" && norms.size > 1 ? [] : [`${name} ${own[name] ?? "–"}`];
    });
    return {
      key,
      label: `${definition.title}${length}${norms.size > 1 ? ` ${budget.norm}` : ""}${words.length > 0 ? `, ${words.join(", ")}` : ""}`,
      title: Object.entries(own)
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
      threat: row.corruption ? undefined : threatOf(row),
    };
  });
}

/** l_inf 8/255; with what limits the attacker further. */
function threatOf({ plan: { attack, threat }, facts }: Row): string | undefined {
  const { norm, epsilon } = attack.budget;
  if (epsilon === undefined) return undefined;
  const limits = [
    ...(threat.region === undefined ? [] : [`within ${facts.region}`]),
    ...(threat.perturb ? [`on ${facts.perturb}`] : []),
  ];
  return [`${norm} ${radius(epsilon, norm)}`, ...limits].join(" ");
}

function corruptionsOf(rows: readonly Row[]): { readonly kind: string; readonly severity: number }[] {
  const found = new Map(rows.flatMap(({ corruption: c }) => (c ? [[`${c.kind}:${c.severity}`, c] as const] : [])));
  return [...found.values()]
    .map(({ kind, severity }) => ({ kind, severity }))
    .sort((a, b) => place(a.kind) - place(b.kind) || a.severity - b.severity);
}
