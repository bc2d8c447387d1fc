import { tasks } from "../../vision/tasks/index.js";
import type { Stage } from "../attack/summary.js";
import { columns as inColumns } from "../cli/table.js";
import { distinctNames } from "../distinct-names.js";
import { nameOfModel } from "../name-of-model.js";
import { metricText } from "../report/headline.js";
import { radius } from "../report/words.js";
import type { Group } from "./groups.js";
import { metricOf, metricsOf, type Row } from "./runs.js";
import type { Board, Standing, Valued } from "./standing.js";

/** A table as data: what all its forms (HTML, Markdown, LaTeX, terminal) are written from. */
export interface Table {
  /** What is in it, in a few words. */
  readonly caption: string;
  readonly head: readonly Head[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Head {
  readonly text: string;
  /** More about it: all parameters of an attack. */
  readonly title?: string;
  /** The title is said under tables that show none: the name is not everybody's. */
  readonly rare?: true;
  readonly kind: "text" | "number";
}

export interface Cell {
  readonly text: string;
  /** What it is sorted by; absent: its text. null: no number. */
  readonly value?: number | null;
  /** What must be known of this number. */
  readonly note?: string;
  /** More about it. */
  readonly title?: string;
  /** The best of its column for the model. */
  readonly best?: true;
}

/** What a metric's value is written as. */
export const textOf = ({ task, metric }: Pick<Group, "task" | "metric">, value: number | null | undefined): string =>
  metricText(tasks[task], metric.name, value);

/** Columns of attacks that a terminal or a page of paper has room for. */
const mostAttacks = 8;

/**
 * Models as rows: clean, each attack, the worst over attacks, the mean and the worst over corruptions, the audit. @param width "narrow": where there are many
 * attacks, the worst over them alone.
 */
export function leaderboard(board: Board, width: "whole" | "narrow" = "whole"): Table {
  const { group, threats, corruptions, standings } = board;
  const several = board.columns.length > 1;
  const columns = width === "narrow" && several && board.columns.length > mostAttacks ? [] : board.columns;
  const number = (value: number | null | undefined, note?: string): Cell => ({
    text: textOf(group, value),
    value: value ?? null,
    ...(note !== undefined && { note }),
  });
  const share = (value: number | undefined): Cell => ({
    text: value === undefined ? "–" : `${(100 * value).toFixed(1)}\u00a0%`,
    value: value ?? null,
  });
  const of = (valued: Valued | undefined) => number(valued?.value);
  const errors = standings.some((s) => s.corruption.error !== undefined);
  const normalized = standings.some((s) => s.corruption.normalized !== undefined);
  const head: Head[] = [
    { text: "model", kind: "text" },
    { text: "clean", kind: "number", title: `${group.metric.name} of the images as they are` },
    ...columns.map(({ label, title }): Head => ({ text: label, title, kind: "number" })),
    ...(several
      ? threats.map(
          (threat, i): Head => ({
            text: `worst${threats.length > 1 ? ` ${threat}` : " (ReM)"}`,
            title: `the worst over the attacks within ${threat} (SemSegBench's reliability measure, ReM)`,
            ...(i === 0 && { rare: true as const }),
            kind: "number",
          }),
        )
      : []),
    ...(corruptions.length > 0
      ? ([
          {
            text: "mean corr.",
            title: "mean over the corruptions: over kinds of the mean over their severities",
            rare: true,
            kind: "number",
          },
          {
            text: "worst corr. (GAM)",
            title: "the worst kind and severity (SemSegBench's generalization ability measure, GAM)",
            rare: true,
            kind: "number",
          },
        ] as const)
      : []),
    ...(errors
      ? [
          {
            text: "mean error",
            title: "mean corruption error, not normalized: 1 minus the mean over kinds and five severities",
            rare: true,
            kind: "number",
          } as const,
        ]
      : []),
    ...(normalized
      ? [{ text: "mCE", title: "ImageNet-C's mean corruption error, by AlexNet's errors", rare: true, kind: "number" } as const]
      : []),
    { text: "audit", kind: "text" },
  ];
  const worst = (s: Standing, threat: string) => {
    const found = s.worst.find((w) => w.threat === threat);
    return number(found?.value, found && found.over < found.of ? `over ${found.over} of ${found.of} attacks` : undefined);
  };
  const rows = standings.map((s): Cell[] => [
    { text: s.model },
    of(s.clean),
    ...columns.map(({ key }) => of(s.attacked.get(key))),
    ...(several ? threats.map((threat) => worst(s, threat)) : []),
    ...(corruptions.length > 0
      ? [number(s.corruption.mean, partial(s)), number(s.corruption.worst?.value, s.corruption.worst ? partial(s) : undefined)]
      : []),
    ...(errors ? [share(s.corruption.error)] : []),
    ...(normalized ? [share(s.corruption.normalized)] : []),
    { text: auditWords(s) },
  ]);
  const caption = `${group.metric.name} on ${group.setting.data}`;
  return { caption, head, rows: markBest(head, rows, group.metric.better) };
}

const partial = ({ corruption: { over, of } }: Standing): string | undefined =>
  over < of ? `${over} of ${of} corruptions are there` : undefined;

function auditWords({ audits: { failed, toLookAt }, rows }: Standing): string {
  const none = rows.every((r) => r.audit === "none");
  if (none) return "none";
  const words = [
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(toLookAt.length > 0 ? [`${toLookAt.length} to look at`] : []),
  ];
  return words.length > 0 ? words.join(", ") : "passed";
}

/** Marks the best of each column of the metric, where several models have a number; errors are better when lower. */
function markBest(head: readonly Head[], rows: readonly Cell[][], better: "higher" | "lower"): Cell[][] {
  const best = head.map(({ kind, text }, i) => {
    const values = rows.flatMap((row) => row[i]!.value ?? []);
    if (kind !== "number" || values.length < 2) return undefined;
    const lower = better === "lower" || text === "mean error" || text === "mCE";
    return lower ? Math.min(...values) : Math.max(...values);
  });
  return rows.map((row) =>
    row.map((cell, i) => (best[i] !== undefined && cell.value === best[i] ? { ...cell, best: true as const } : cell)),
  );
}

/** The leaderboard of one model, turned: a row for each number. */
export function ofOneModel(board: Board): Table {
  const { head, rows, caption } = leaderboard(board);
  const [row] = rows as [readonly Cell[]];
  const numbers = head.flatMap((h, i) => (h.kind === "number" ? [{ name: h, cell: row[i]! }] : []));
  return {
    caption,
    head: [
      { text: row[0]!.text, kind: "text" },
      { text: board.group.metric.name, kind: "number" },
    ],
    rows: numbers.map(({ name, cell }) => [{ text: name.text, ...(name.title !== undefined && { title: name.title }) }, cell]),
  };
}

/** Runs as rows: what tells them apart, the metric before and after, the audit. */
export function runTable(group: Group): Table {
  const { rows, differ, metric } = group;
  const shown = differ.length > 0 ? differ : ["attack"];
  const told = rows.map((row) => shown.map((name) => row.facts[name] ?? "–"));
  // Runs that differ in nothing that is shown are told apart by their directories.
  const alike = new Set(told.map((cells) => cells.join("\n"))).size < rows.length;
  const directories = distinctNames(rows.map((row) => row.path));
  const sizes = rows.some((row) => row.summary.smallest);
  const number = (row: Row, stage: Stage): Cell => {
    const value = metricOf(row, stage, metric.name);
    return { text: textOf(group, value), value };
  };
  return {
    caption: `The runs, ${metric.name} against ${group.against === "truth" ? "the ground truth" : "the model's own clean prediction"}`,
    head: [
      ...(alike ? ["run"] : []).map((text): Head => ({ text, kind: "text" })),
      ...shown.map((text): Head => ({ text, kind: "text" })),
      ...[`${metric.name}, clean`, "adversarial", "saved as 8-bit"].map((text): Head => ({ text, kind: "number" })),
      ...(sizes
        ? [
            {
              text: "median norm",
              title: "the radius within which half of the images that were right break",
              rare: true,
              kind: "number",
            } as const,
          ]
        : []),
      { text: "audit", kind: "text" },
    ],
    rows: rows.map((row, i) => [
      ...(alike ? [{ text: directories[i]! }] : []),
      ...told[i]!.map((text, k): Cell => {
        const value = row.numbers[shown[k]!];
        return value === undefined ? { text } : { text, value };
      }),
      ...(["clean", "adversarial", "saved"] as const).map((stage) => number(row, stage)),
      ...(sizes ? [medianCell(row)] : []),
      { text: row.audit },
    ]),
  };
}

/** Of runs that looked for the smallest perturbations. */
function medianCell({ summary: { smallest } }: Row): Cell {
  if (!smallest) return { text: "–", value: null };
  const text = smallest.median === null ? "above half" : `${radius(smallest.median, smallest.norm)} (${smallest.norm})`;
  return { text, value: smallest.median };
}

const plainSpaces = (text: string): string => text.replaceAll("\u00a0", " ");
const withNote = ({ text, note }: Cell): string => plainSpaces(note === undefined ? text : `${text} (${note})`);

/** For a terminal, with what its rarer names mean. */
export function tableText(table: Table): string {
  const { head, rows } = table;
  const lines = inColumns(
    head.map((h) => h.text),
    rows.map((row) => row.map(withNote)),
  );
  return `${[lines, ...legend(table)].join("\n")}\n`;
}

/** A line for each name of a table that is not everybody's. */
const legend = ({ head }: Table): string[] =>
  head.flatMap(({ text, title, rare }) => (rare && title !== undefined ? [`${text}: ${title}`] : []));

/** For a pull request. */
export function tableMarkdown(table: Table): string {
  const { head, rows } = table;
  const line = (cells: readonly string[]) =>
    `| ${cells.map((c) => c.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  const rule = head.map(({ kind }) => (kind === "number" ? "---:" : "---"));
  const cells = rows.map((row) => row.map((cell) => (cell.best ? `**${withNote(cell)}**` : withNote(cell))));
  const names = legend(table).map((text) => `\n${text}`);
  return `${[line(head.map((h) => h.text)), line(rule), ...cells.map(line), ...names].join("\n")}\n`;
}

/** For a program: a line for each run, every fact and every metric, shares from 0 to 1. Metrics that a task has not are empty; of other models that a run's images were shown to, the headline metric. */
export function tableCsv(groups: readonly Group[]): string {
  const facts = [...new Set(groups.flatMap((g) => g.rows.flatMap((r) => Object.keys(r.facts))))];
  const metrics = [...new Set(groups.flatMap((g) => metricsOf(g.rows)))];
  const stages = ["clean", "adversarial", "saved"] as const;
  const rows = groups.flatMap((g, i) => g.rows.map((row) => ({ row, group: i + 1 })));
  const sizes = rows.some(({ row }) => row.summary.smallest);
  const others = [...new Set(rows.flatMap(({ row }) => (row.summary.transfer ?? []).map(({ model }) => nameOfModel(model))))];
  const shown = (row: Row, model: string, stage: Stage) => {
    const found = row.summary.transfer?.find((t) => nameOfModel(t.model) === model)?.metrics[row.against]?.[stage];
    return String(found?.[row.summary.headline.name] ?? "");
  };
  const head = [
    ...(groups.length > 1 ? ["group"] : []),
    ...facts,
    "task",
    "against",
    ...metrics.flatMap((m) => stages.map((s) => `${m} ${s}`)),
    ...(sizes ? ["median norm", "never broken"] : []),
    ...others.flatMap((model) => stages.map((s) => `shown to ${model}, ${s}`)),
    "audit",
    "run",
  ];
  const line = ({ row, group }: (typeof rows)[number]) => [
    ...(groups.length > 1 ? [String(group)] : []),
    ...facts.map((f) => row.facts[f] ?? ""),
    row.task,
    row.against,
    ...metrics.flatMap((m) => stages.map((s) => String(metricOf(row, s, m) ?? ""))),
    ...(sizes ? [row.summary.smallest?.median, row.summary.smallest?.unbroken].map((v) => String(v ?? "")) : []),
    ...others.flatMap((model) => stages.map((s) => shown(row, model, s))),
    row.audit,
    row.name,
  ];
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return `${[head, ...rows.map(line)].map((cells) => cells.map(cell).join(",")).join("\n")}\n`;
}

/** What must be known to read a group's tables. */
export function noteOf({ against, metric, notes, differ }: Group): string {
  const reference = against === "truth" ? "the ground truth" : "the model's own clean prediction";
  const saved = differ.includes("goal") ? " The runs drive away from different things." : "";
  return [`${metric.name} against ${reference}; ${metric.better} is better for the model.${saved}`, ...notes].join(" ");
}
