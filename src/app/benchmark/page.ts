import { page as document, folded } from "../report/document.js";
import { plain } from "../report/html.js";
import type { Benchmark } from "./benchmark.js";
import { classTable, worstRow } from "./classes.js";
import { curves, type Figure } from "./curves.js";
import type { Gallery } from "./gallery.js";
import { apart } from "./groups.js";
import { criticalitySection, spectraSection, transferSection } from "./others.js";
import { galleryOf, ledger, linkTo, runList } from "./run-list.js";
import { sortScript } from "./sort-script.js";
import type { Board } from "./standing.js";
import { tableHtml } from "./table-html.js";
import { leaderboard, noteOf, ofOneModel, runTable, textOf } from "./tables.js";

/** Tables longer than this are closed until they are opened: a browser lays out what is open. */
const longest = 60;

/** report.html over many runs: one file, nothing loaded from elsewhere. @param folder in which it will lie. */
export function benchmarkPage(benchmark: Benchmark, folder: string): string {
  const { boards, rows, galleries, others, transfers, unfinished, failed, cached, galleriesLeft } = benchmark;
  const title = headline(benchmark);
  const sections = boards.map((board, i) => boardSection(board, boards, i, folder));
  const shown = new Set(hardest(benchmark));
  return document(
    "benchmark report",
    title,
    `<h1>${plain(title)}</h1>
${facts(benchmark)}
${ledger(unfinished, failed, cached.size)}
${grouping(boards)}
${sections.join("\n")}
${imagesSection(benchmark)}
${transferSection(rows, transfers)}
${criticalitySection(others)}
${spectraSection(others)}
${
  rows.length === 0
    ? ""
    : `<section id="runs">
<h2>Run by run</h2>
<p class="lead">The command that makes each run again, what its audit found, and the images that it saved, hit hardest first.${galleriesLeft > 0 ? ` The images of ${galleriesLeft} runs are left out, so that this file stays small; they lie in the folders of the runs.` : ""}</p>
${runList(
  rows,
  galleries.filter((g) => !shown.has(g)),
  cached,
  folder,
)}
</section>`
}`,
    { style, script: sortScript },
  );
}

/** In one sentence: what came of it. */
export function headline({ boards, others }: Pick<Benchmark, "boards" | "others">): string {
  const [board] = boards;
  if (!board) {
    const models = [...others.criticality, ...others.spectra].length;
    return `${models} result${models === 1 ? "" : "s"} of layer criticality and spectra.`;
  }
  const several = boards.length > 1 ? ` (the first of ${boards.length} groups)` : "";
  return `${sentenceOf(board)}${several}`;
}

/** The worst case of one model, or which of several holds best. */
export function sentenceOf({ group, standings, columns }: Board): string {
  const { name, better } = group.metric;
  const sign = better === "higher" ? 1 : -1;
  const text = (value: number | null | undefined) => textOf(group, value);
  const worst = standings.flatMap((s) => {
    const [hardest] = s.worst.toSorted((a, b) => sign * (a.value - b.value));
    return hardest ? [{ ...hardest, model: s.model, clean: s.clean?.value }] : [];
  });
  if (worst.length === 0) {
    const cleans = standings.flatMap((s) => (s.clean?.value == null ? [] : [{ model: s.model, value: s.clean.value }]));
    const [best] = cleans.toSorted((a, b) => sign * (b.value - a.value));
    return best
      ? `${name} of ${best.model} is ${text(best.value)} without an attack${cleans.length > 1 ? `, the best of ${cleans.length} models` : ""}.`
      : `${group.rows.length} runs, not one of which has a finite ${name}.`;
  }
  const labelOf = (row: (typeof worst)[number]["row"]) =>
    columns.find(({ key }) => standings.some((s) => s.attacked.get(key)?.row === row))?.label ?? row.facts.attack;
  if (worst.length === 1) {
    const [one] = worst as [(typeof worst)[number]];
    return `${name} of ${one.model} goes from ${text(one.clean)} to ${text(one.value)} under ${labelOf(one.row)}${columns.length > 1 ? `, the worst of ${columns.length} attacks` : ""}.`;
  }
  const order = worst.toSorted((a, b) => sign * (b.value - a.value));
  const [best, last] = [order[0]!, order.at(-1)!];
  return `Of ${worst.length} models ${best.model} holds best under its worst attack: ${name} ${text(best.value)}; ${last.model} least: ${text(last.value)}.`;
}

function facts({ boards, rows, others, failed }: Benchmark): string {
  const fact = (name: string, value: string | number) => `<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const models = new Set(boards.flatMap((b) => [...b.group.models.keys()])).size;
  const count = (verdict: string) => rows.filter((r) => r.audit === verdict).length;
  const audit = [
    ...(count("failed") ? [`<span class="bad">${count("failed")}</span> <small>failed</small>`] : []),
    ...(count("to look at") ? [`<span class="warn">${count("to look at")}</span> <small>to look at</small>`] : []),
    ...(count("passed") ? [`<span class="good">${count("passed")}</span> <small>passed</small>`] : []),
    ...(count("none") ? [`${count("none")} <small>not audited</small>`] : []),
  ].join(" ");
  return `<dl class="facts">
${rows.length > 0 ? fact("Models", models) : ""}
${rows.length > 0 ? fact("Runs", `${rows.length}${failed.length > 0 ? ` <small>and ${failed.length} that failed</small>` : ""}`) : ""}
${rows.length > 0 ? fact("Audits", audit) : ""}
${others.criticality.length > 0 ? fact("Criticality", others.criticality.length) : ""}
${others.spectra.length > 0 ? fact("Spectra", others.spectra.length) : ""}
</dl>`;
}

/** Why there are several leaderboards. */
function grouping(boards: readonly Board[]): string {
  if (boards.length < 2) return "";
  const names = apart(boards.map((b) => b.group));
  return `<p>The runs fall into ${boards.length} groups whose numbers do not compare: they differ in ${plain(listed(names))}.</p>`;
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

function boardSection(board: Board, boards: readonly Board[], i: number, folder: string): string {
  const { group, notes, corruptions } = board;
  const title =
    boards.length === 1
      ? board.standings.length === 1
        ? "In a few numbers"
        : "Leaderboard"
      : apart(boards.map((b) => b.group))
          .map((name) => `${name === "data" || name === "task" ? "" : `${name} `}${group.setting[name] ?? "–"}`)
          .join(" · ");
  const all = runTable(group);
  const links = group.rows.map((row) => {
    const link = linkTo(row.path, folder);
    return link === "" ? "" : `<a href="${link}">report</a>`;
  });
  const runs = tableHtml(all, links);
  const { figures, left } = curves(board);
  const setting = Object.entries(group.setting).map(([name, value]) => `<dt>${plain(name)}</dt><dd>${plain(value)}</dd>`);
  const remarks = [...group.notes, ...notes];
  return `<section id="group-${i + 1}">
<h2>${plain(title)}</h2>
<p class="lead">${plain(noteOf({ ...group, notes: [] }))} What counts under attack is what the attack found, before it is rounded to files of 8 bits. Click a heading to sort.</p>
${remarks.length > 0 ? `<ul class="notes remarks">${remarks.map((n) => `<li>${plain(n)}</li>`).join("")}</ul>` : ""}
${tableHtml(board.standings.length === 1 ? ofOneModel(board) : leaderboard(board))}
${corruptions.length > 0 ? corruptionTable(board) : ""}
${figuresOf(figures, left)}
${classesOf(board)}
${all.rows.length > longest ? folded(`All runs (${all.rows.length})`, runs) : `<h3 class="sub">All runs</h3>\n${runs}`}
${folded("What these numbers share", `<dl class="setting">${setting.join("")}</dl>`)}
</section>`;
}

/** Kind by kind, the mean over the severities that are there. */
function corruptionTable(board: Board): string {
  const kinds = [...new Set(board.corruptions.map((c) => c.kind))];
  const rows = board.standings.map(({ model, corrupted }) => [
    { text: model },
    ...kinds.map((kind) => {
      const of = corrupted.filter((c) => c.kind === kind);
      const finite = of.flatMap((c) => c.value ?? []);
      const wanted = board.corruptions.filter((c) => c.kind === kind).length;
      const value = finite.length === wanted ? finite.reduce((a, b) => a + b) / finite.length : null;
      return { text: textOf(board.group, value), value };
    }),
  ]);
  const severities = [...new Set(board.corruptions.map((c) => c.severity))].sort((a, b) => a - b);
  const html = tableHtml({
    caption: "Corruptions",
    head: [{ text: "model", kind: "text" }, ...kinds.map((text) => ({ text, kind: "number" as const }))],
    rows,
  });
  return `<h3 class="sub">Corruptions</h3>
<p class="lead">${severities.length === 1 ? `At severity ${severities[0]}.` : `The mean over severities ${listed(severities.map(String))}.`}</p>
${html}`;
}

function figuresOf(figures: readonly Figure[], left: number): string {
  if (figures.length === 0) return "";
  const drawn = figures.map(({ svg, caption }) => `<figure>${svg}<figcaption>${plain(caption)}</figcaption></figure>`);
  return `<h3 class="sub">Curves</h3>
<div class="charts">${drawn.join("\n")}</div>
${left > 0 ? `<p class="soft">${left} more curves are left out; table.csv has their numbers.</p>` : ""}`;
}

function classesOf(board: Board): string {
  const found = classTable(board);
  if (!found) return "";
  const { table, left } = found;
  const words = left > 0 ? `<p class="soft">${left} models are left out; summary.json of their runs has their classes.</p>` : "";
  return folded(
    `Class by class (${table.rows.length})`,
    `<p class="lead">Clean, and under the attack that damages the model most.</p>${tableHtml(table)}${words}`,
  );
}

/** Models whose images stand open. */
const mostModels = 12;

/** Of each model the images of the attack within a radius that damages it most. */
const hardest = ({ boards, galleries }: Benchmark): Gallery[] =>
  boards
    .flatMap(({ group, standings }) => standings.map((s) => worstRow(group.metric.better, s)))
    .flatMap((row) => galleries.find((g) => g.row === row) ?? [])
    .slice(0, mostModels);

function imagesSection(benchmark: Benchmark): string {
  const shown = hardest(benchmark);
  if (shown.length === 0) return "";
  const items = shown.map(
    ({ row, pictures }) =>
      `<article class="sample"><header><h3>${plain(row.facts.model!)}</h3><span class="value">${plain(row.name)}</span></header>${galleryOf(pictures)}</article>`,
  );
  return `<section id="images">
<h2>Images</h2>
<p class="lead">As saved by the attack that damages each model most, hit hardest first.</p>
${items.join("\n")}
</section>`;
}

/** What this page has beyond the style of all reports. */
const style = `
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: inherit; white-space: normal; }
th button:hover { color: var(--ink); text-decoration: underline; }
th[aria-sort] button { color: var(--ink); font-weight: 620; }
th[aria-sort=ascending] button::after { content: " ↑"; }
th[aria-sort=descending] button::after { content: " ↓"; }
th.text, td.text { text-align: left; }
thead th { vertical-align: bottom; min-width: 72px; max-width: 150px; white-space: normal; }
td.best { font-weight: 640; }
td small { color: var(--soft); font-weight: 400; }
.sortable th:first-child { position: sticky; left: 0; background: var(--page); z-index: 1; max-width: 40vw; overflow: hidden; text-overflow: ellipsis; }
.run pre { max-height: 22em; }
.remarks { margin-bottom: 16px; font-size: 15px; color: var(--soft); }
`;
