import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demandFolder, makeFolder } from "../runs/folders.js";
import { type Benchmark, type BenchmarkOptions, readBenchmark } from "./benchmark.js";
import { type Card, cardText } from "./card.js";
import { curves } from "./curves.js";
import { apart } from "./groups.js";
import { isBeyondPdflatex, tableLatex } from "./latex.js";
import { benchmarkPage, sentenceOf } from "./page.js";
import type { Board } from "./standing.js";
import { leaderboard, noteOf, runTable, tableCsv, tableMarkdown, tableText } from "./tables.js";

/** What was written. */
export interface Written {
  readonly benchmark: Benchmark;
  /** Path of report.html. */
  readonly report: string;
}

/**
 * Reads all runs that paths stand for and writes what they come to: report.html, table.csv, table.md, table.tex, the curves, and a card for each model and data
 * set: card.json and card.md where there is one, else in cards/.
 *
 * @throws RunError
 * @example await writeBenchmark(["runs/resnet50-classification-v1-1b9f66a1"], "runs/report", { version: "0.1.0" });
 */
export async function writeBenchmark(paths: readonly string[], folder: string, options: BenchmarkOptions): Promise<Written> {
  demandFolder(folder);
  const benchmark = await readBenchmark(paths, options);
  const { boards, cards } = benchmark;
  makeFolder(folder);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const name of ["figures", "cards"]) rmSync(join(folder, name), { recursive: true, force: true });
  if (boards.length > 0) {
    write("table.csv", tableCsv(boards.map((b) => b.group)));
    write("table.md", markdown(boards));
    write("table.tex", latex(boards));
  }
  const figures = boards.flatMap((board, i) =>
    curves(board).figures.map((f) => ({ ...f, name: boards.length > 1 ? `${i + 1}-${f.name}` : f.name })),
  );
  if (figures.length > 0) mkdirSync(join(folder, "figures"));
  for (const { name, svg } of figures) write(join("figures", `${name.slice(0, 120)}.svg`), `${svg}\n`);
  writeCards(cards, folder, write);
  const report = join(folder, "report.html");
  writeFileSync(report, benchmarkPage(benchmark, folder));
  return { benchmark, report };
}

function writeCards(cards: readonly Card[], folder: string, write: (name: string, text: string) => void): void {
  for (const name of ["card.json", "card.md"]) rmSync(join(folder, name), { force: true });
  const both = (card: Card, name: string) => {
    write(`${name}.json`, `${JSON.stringify(card, undefined, 2)}\n`);
    write(`${name}.md`, cardText(card));
  };
  if (cards.length === 1) both(cards[0]!, "card");
  else if (cards.length > 1) {
    mkdirSync(join(folder, "cards"));
    for (const [i, card] of cards.entries()) both(card, join("cards", cardNames(cards)[i]!));
  }
}

/** Of files: by the model, and by the data where a model has several cards. */
function cardNames(cards: readonly Card[]): string[] {
  const safe = (text: string) => text.replaceAll(/[^\w.+-]+/g, "-");
  const names = cards.map(({ model, data }) => {
    const several = cards.filter((c) => c.model.name === model.name).length > 1;
    return safe(several ? `${model.name}-${data.name}` : model.name).slice(0, 120);
  });
  return names.map((name, i) => {
    const nth = names.slice(0, i).filter((n) => n.toLowerCase() === name.toLowerCase()).length;
    return nth > 0 ? `${name}-${nth + 1}` : name;
  });
}

const titleOf = (board: Board, boards: readonly Board[]): string =>
  apart(boards.map((b) => b.group))
    .map((name) => `${name}: ${board.group.setting[name] ?? "–"}`)
    .join("; ");

/** The tables of a terminal: models where there are several, then the runs while they are few. */
export function benchmarkText({ boards, others, unfinished, failed }: Benchmark): string {
  const parts = boards.map((board) => {
    const { group } = board;
    const runs =
      group.rows.length <= 40 ? tableText(runTable(group)) : `${group.rows.length} runs; table.csv has a line for each.\n`;
    return [
      ...(boards.length > 1 ? [`${titleOf(board, boards)}\n`] : []),
      ...(group.models.size > 1 ? [`${tableText(leaderboard(board, "narrow"))}\n`] : []),
      runs,
      `${[noteOf(group), ...board.notes].join(" ")}\n`,
      `${sentenceOf(board)}\n`,
    ].join("");
  });
  const count = (n: number, one: string, many: string) => (n === 0 ? [] : [`${n} ${n === 1 ? one : many}`]);
  const also = [
    ...count(others.criticality.length, "profile of layer criticality", "profiles of layer criticality"),
    ...count(others.spectra.length, "spectrum", "spectra"),
  ];
  const rest = [
    ...(also.length > 0 ? [`the page also has ${also.join(" and ")}\n`] : []),
    ...(unfinished.length > 0 ? [`${unfinished.length} not finished, and in no number: ${few(unfinished)}\n`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed, and in no number: ${few(failed.map((f) => f.name))}\n`] : []),
  ];
  return [parts.join("\n"), ...rest].join("").replaceAll("\u00a0", " ");
}

const few = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;

function markdown(boards: readonly Board[]): string {
  return boards
    .map((board) => {
      const { group } = board;
      return [
        ...(boards.length > 1 ? [`## ${titleOf(board, boards)}\n`] : []),
        ...(group.models.size > 1 ? [tableMarkdown(leaderboard(board))] : []),
        tableMarkdown(runTable(group)),
        `${[noteOf(group), ...board.notes].join(" ")}\n`,
      ].join("\n");
    })
    .join("\n");
}

/** Models where there are several, else the runs of the one: for `\input` in a paper. */
function latex(boards: readonly Board[]): string {
  const tables = boards.map((board, i) => {
    const { group } = board;
    const table = group.models.size > 1 ? leaderboard(board, "narrow") : runTable(group);
    const title = boards.length > 1 ? `${titleOf(board, boards)}. ` : "";
    return tableLatex(table, `tab:faultline${boards.length > 1 ? `-${i + 1}` : ""}`, `${title}${noteOf(group)}`);
  });
  const text = tables.join("\n");
  const engine = isBeyondPdflatex(text) ? " Some names are in letters that pdflatex has not: take lualatex or xelatex." : "";
  return `% Needs \\usepackage{booktabs}.${engine}\n${text}`;
}
