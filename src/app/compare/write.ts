import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { tasks } from "../../vision/tasks/index.js";
import { page } from "../report/document.js";
import { metricText } from "../report/headline.js";
import { plain } from "../report/html.js";
import { curves } from "./curves.js";
import { type Comparison, metricOf, type Row } from "./runs.js";
import { noteOf, shortTable, tableCsv, tableMarkdown } from "./tables.js";

/** Writes table.md, table.csv, curves.svg (where a number differs) and report.html. Returns the report's path. */
export function writeComparison(comparison: Comparison, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const svg = curves(comparison);
  writeFileSync(join(folder, "table.md"), tableMarkdown(comparison));
  writeFileSync(join(folder, "table.csv"), tableCsv(comparison));
  if (svg) writeFileSync(join(folder, "curves.svg"), `${svg}\n`);
  const report = join(folder, "report.html");
  writeFileSync(report, comparisonPage(comparison, svg, folder));
  return report;
}

/** In one sentence: where the model holds least and most. */
export function verdict(comparison: Comparison): string {
  const { rows, headline, differ } = comparison;
  const sign = headline.better === "higher" ? 1 : -1;
  const valued = rows.flatMap((row) => {
    const value = metricOf(comparison, row, "adversarial", headline.name);
    return value === null ? [] : [{ row, value }];
  });
  if (valued.length === 0) return `${rows.length} runs, not one of which has a finite ${headline.name}.`;
  const order = valued.toSorted((a, b) => sign * (a.value - b.value));
  const [worst, best] = [order[0]!, order.at(-1)!];
  const name = (row: Row) =>
    differ.map((d) => (d === "attack" || d === "model" ? row.facts[d] : `${d} ${row.facts[d] ?? "–"}`)).join(", ");
  const text = (value: number) => metricText(tasks[rows[0]!.task], headline.name, value);
  return rows.length === 1 || differ.length === 0
    ? `${headline.name} under attack: ${text(worst.value)}.`
    : `${headline.name} under attack is worst with ${name(worst.row)} (${text(worst.value)}) and best with ${name(best.row)} (${text(best.value)}).`;
}

function comparisonPage(comparison: Comparison, svg: string | undefined, folder: string): string {
  const { head, rows } = shortTable(comparison);
  const cells = (list: readonly string[], tag: string) => list.map((c) => `<${tag}>${plain(c)}</${tag}>`).join("");
  const body = rows.map((row, i) => {
    const { path } = comparison.rows[i]!;
    const to = relative(folder, join(path, "report.html"));
    // A run elsewhere would be a path of this machine.
    const link = to.startsWith("..") ? "" : `<a href="${plain(to)}">report</a>`;
    return `<tr>${cells(row, "td")}<td>${link}</td></tr>`;
  });
  return page(
    "attacks compared",
    "Attacks compared",
    `<h1>${plain(verdict(comparison))}</h1>
${svg ? `<figure class="charts" style="margin-top:28px">${svg}</figure>` : ""}
<h2>Table</h2>
<p class="lead">${plain(noteOf(comparison).trim())} What counts is the column "adversarial"; beside it the same images rounded to files of 8 bits.</p>
<div class="scroll"><table><thead><tr>${cells(head, "th")}<th></th></tr></thead><tbody>${body.join("\n")}</tbody></table></div>`,
  );
}
