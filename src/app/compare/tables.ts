import { tasks } from "../../vision/tasks/index.js";
import type { Stage } from "../attack/summary.js";
import { columns } from "../cli/table.js";
import { distinctNames } from "../distinct-names.js";
import { metricText } from "../report/headline.js";
import { radius } from "../report/words.js";
import { type Comparison, metricOf, metricsOf, type Row } from "./runs.js";

/** What is shown of each run: what tells it apart, the headline metric before and after, the audit. */
export function shortTable(comparison: Comparison): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of numbers, before the last. */
  readonly numbers: number;
} {
  const { rows, differ, headline } = comparison;
  const shown = differ.length > 0 ? differ : ["attack"];
  const told = rows.map((row) => shown.map((name) => row.facts[name] ?? "–"));
  // Runs that differ in nothing that is shown are told apart by their directories.
  const alike = new Set(told.map((cells) => cells.join("\n"))).size < rows.length;
  const directories = distinctNames(rows.map((row) => row.path));
  const text = (row: Row, stage: Stage) =>
    metricText(tasks[row.task], headline.name, metricOf(comparison, row, stage, headline.name));
  const sizes = rows.some((row) => row.summary.smallest) ? ["median norm"] : [];
  return {
    head: [...(alike ? ["run"] : []), ...shown, `${headline.name}, clean`, "adversarial", "saved as 8-bit", ...sizes, "audit"],
    numbers: 3 + sizes.length,
    rows: rows.map((row, i) => [
      ...(alike ? [directories[i]!] : []),
      ...told[i]!,
      ...(["clean", "adversarial", "saved"] as const).map((stage) => text(row, stage)),
      ...sizes.map(() => medianText(row)),
      row.audit,
    ]),
  };
}

/** Of runs that looked for the smallest perturbations. */
function medianText({ summary: { smallest } }: Row): string {
  if (!smallest) return "–";
  return smallest.median === null ? "above half" : `${radius(smallest.median, smallest.norm)} (${smallest.norm})`;
}

/** For a terminal. */
export function tableText(comparison: Comparison): string {
  const { head, rows } = shortTable(comparison);
  return `${columns(head, rows).replaceAll("\u00a0", " ")}\n${noteOf(comparison)}`;
}

/** For a paper or a pull request. */
export function tableMarkdown(comparison: Comparison): string {
  const { head, rows, numbers: count } = shortTable(comparison);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((c) => c.replaceAll("|", "\\|").replaceAll("\u00a0", " ")).join(" | ")} |`;
  const numbers = head.map((_, i) => (i < head.length - 1 - count || i === head.length - 1 ? "---" : "---:"));
  return `${[line(head), line(numbers), ...rows.map(line)].join("\n")}\n\n${noteOf(comparison)}`;
}

/** For a program: every fact and every metric, shares from 0 to 1. */
export function tableCsv(comparison: Comparison): string {
  const { rows } = comparison;
  const facts = [...new Set(rows.flatMap((r) => Object.keys(r.facts)))];
  const metrics = metricsOf(comparison);
  const stages = ["clean", "adversarial", "saved"] as const;
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const sizes = rows.some((row) => row.summary.smallest);
  const head = [
    ...facts,
    ...metrics.flatMap((m) => stages.map((s) => `${m} ${s}`)),
    ...(sizes ? ["median norm", "never broken"] : []),
    "audit",
    "run",
  ];
  const line = (row: Row) => [
    ...facts.map((f) => row.facts[f] ?? ""),
    ...metrics.flatMap((m) => stages.map((s) => String(metricOf(comparison, row, s, m) ?? ""))),
    ...(sizes ? [row.summary.smallest?.median, row.summary.smallest?.unbroken].map((v) => String(v ?? "")) : []),
    row.audit,
    row.path,
  ];
  return `${[head, ...rows.map(line)].map((cells) => cells.map(cell).join(",")).join("\n")}\n`;
}

/** What must be known to read the table. */
export function noteOf({ against, headline, differ }: Comparison): string {
  const reference = against === "truth" ? "the ground truth" : "the model's own clean prediction";
  const uneven = ["data", "samples", "sizes", "goal"].filter((name) => differ.includes(name));
  return `${headline.name} against ${reference}; ${headline.better} is better for the model.${uneven.length > 0 ? ` The runs differ in ${uneven.join(" and ")}, so their numbers are of different things.` : ""}\n`;
}
