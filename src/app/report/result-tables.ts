import { tasks } from "../../vision/tasks/index.js";
import { references, type Stage, stages } from "../attack/summary.js";
import { folded } from "./document.js";
import { metricText, type Reference } from "./headline.js";
import { plain } from "./html.js";
import type { Report } from "./page.js";
import { referenceWords, targetText, turnWords } from "./words.js";

/** The metrics before and after; those against the model's own prediction, and those of single classes, open on demand. */
export function resultTables(report: Report): string {
  const { plan, summary, number } = report;
  const present = references.filter((r) => summary.metrics[r]);
  const main = present.filter((r) => r !== "prediction" || number.reference === "prediction");
  const rest = present.filter((r) => !main.includes(r));
  const names = main.flatMap((r) => metricsOf(report, r));
  return `<section>
<h2>Result</h2>
<p class="lead">Over ${summary.samples} sample${summary.samples === 1 ? "" : "s"}${summary.errors.length ? `; ${summary.errors.length} more failed and are in no number` : ""}. ${roundingWords(report)}${hiddenWords(report)}${summary.metrics.truth ? "" : " There is no ground truth here, so the model is compared with itself."}</p>
${metricTable(report, main, "with loss")}
${memberTable(report)}
${rest.length > 0 ? folded("Against the model's own clean prediction", metricTable(report, rest)) : ""}
${classTable(report)}
${footnotes([...new Set(names)], plan.spec.task)}
</section>`;
}

/** Metrics of a reference, without those of single classes. */
const metricsOf = ({ plan, summary }: Report, reference: Reference): string[] =>
  Object.keys(summary.metrics[reference]?.clean ?? {}).filter((name) => name in tasks[plan.spec.task].formats);

/** The saved images have a column of their own only where their numbers differ. */
function columnsOf(report: Report, shown: readonly Reference[]): readonly Stage[] {
  const { summary } = report;
  const differs = shown.some((r) =>
    metricsOf(report, r).some((name) => text(report, r, "adversarial", name) !== text(report, r, "saved", name)),
  );
  return differs && summary.samples > 0 ? stages : ["clean", "adversarial"];
}

const text = ({ plan, summary }: Report, reference: Reference, stage: Stage, name: string): string =>
  metricText(tasks[plan.spec.task], name, summary.metrics[reference]?.[stage][name]);

const hiddenWords = ({ plan, summary: { hidden } }: Report): string =>
  hidden === undefined
    ? ""
    : ` The ${plan.attack.definition.fit?.what ?? "attack"} hides ${(100 * hidden).toFixed(1)} % of the pixels; all numbers, clean ones too, are of the pixels around it.`;

function roundingWords(report: Report): string {
  const shown = references.filter((r) => report.summary.metrics[r]);
  return columnsOf(report, shown).length === 3
    ? 'What counts is the column "adversarial": the images that the attack found. Beside it, the same images rounded to files of 8 bits and predicted again.'
    : "Rounding the images to files of 8 bits changes none of these numbers.";
}

const headings: Readonly<Record<Stage, string>> = { clean: "clean", adversarial: "adversarial", saved: "saved as 8-bit" };

function metricTable(report: Report, shown: readonly Reference[], loss?: "with loss"): string {
  const { plan, summary } = report;
  const columns = columnsOf(report, shown);
  const { formats } = tasks[plan.spec.task];
  const group = (words: string) =>
    `<tr class="group"><th colspan="${columns.length + 1}" scope="colgroup">${plain(words)}</th></tr>`;
  const rows = shown.flatMap((reference) => [
    group(`${referenceWords[reference]}${reference === "target" ? ` (${targetText(plan)})` : ""}`),
    ...metricsOf(report, reference).map((name) => {
      const about = formats[name]?.about;
      const label = about ? `<abbr title="${plain(about)}">${plain(name)}</abbr>` : plain(name);
      const cells = columns.map(
        (s) =>
          `<td${s === "adversarial" && name === summary.headline.name ? ' class="hit"' : ""}>${text(report, reference, s, name)}</td>`,
      );
      return `<tr><th scope="row">${label}</th>${cells.join("")}</tr>`;
    }),
  ]);
  const { untouched } = summary;
  if (untouched && shown.includes("truth"))
    rows.unshift(
      group("degraded, as they are: the input pictures to the ground truth, without any model"),
      ...metricsOf(report, "truth").map(
        (name) =>
          `<tr><th scope="row">${plain(name)}</th><td>${metricText(tasks[plan.spec.task], name, untouched[name])}</td>${"<td></td>".repeat(columns.length - 1)}</tr>`,
      ),
    );
  const losses = columns.map((s) => `<td>${summary.loss[s]?.toPrecision(4) ?? "–"}</td>`).join("");
  // What the attack had to say itself: of the adversarial images alone, as median and largest.
  const found = Object.entries(summary.found ?? {}).map(([name, { median, most }]) => {
    const cells = columns.map(
      (s) => `<td>${s === "adversarial" ? `${median.toPrecision(4)} (at most ${most.toPrecision(4)})` : ""}</td>`,
    );
    return `<tr><th scope="row">${plain(name)}, median</th>${cells.join("")}</tr>`;
  });
  for (const { when, left } of (summary.after ?? []).map((turn) => turnWords(plan, turn)))
    found.push(
      `<tr><th scope="row">${plain(when)}</th>${columns.map((s) => `<td>${s === "adversarial" ? plain(left) : ""}</td>`).join("")}</tr>`,
    );
  return `<div class="scroll"><table>
<thead><tr><th></th>${columns.map((c) => `<th scope="col">${headings[c]}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
${loss ? `${group("the attack's own measure")}\n<tr><th scope="row">mean loss</th>${losses}</tr>\n${found.join("\n")}` : ""}
</tbody>
</table></div>`;
}

/** Where the attack is several: each of them by itself, and the worst of them. */
function memberTable(report: Report): string {
  const { plan, summary, number } = report;
  if (!summary.members) return "";
  const { reference } = number;
  const { headline } = summary;
  const names = metricsOf(report, reference);
  const row = (name: string, values: Readonly<Record<string, number | null>> | undefined) =>
    `<tr><th scope="row">${plain(name)}</th>${names
      .map((metric) => `<td>${metricText(tasks[plan.spec.task], metric, values?.[metric])}</td>`)
      .join("")}</tr>`;
  const worst = summary.worst?.[reference];
  return `<h3 class="sub">Attack by attack</h3>
<div class="scroll"><table>
<thead><tr><th scope="col">alone</th>${names.map((name) => `<th scope="col">${plain(name)}</th>`).join("")}</tr></thead>
<tbody>
${Object.entries(summary.members)
  .map(([name, { metrics }]) => row(name, metrics[reference]))
  .join("\n")}
${row("of each picture the worst by right pixels: the adversarial images", summary.metrics[reference]?.adversarial)}
${worst ? row(`of each picture what makes ${headline.name} over all worst`, worst) : ""}
</tbody>
</table></div>`;
}

/** Class by class, where the summary has a metric of each. */
function classTable({ summary, number, className, classColor }: Report): string {
  const of = summary.metrics[number.reference] ?? summary.metrics.prediction;
  const rows = Object.keys(of?.clean ?? {}).flatMap((name) => {
    const [, metric = "", label] = /^(.+) class (\d+)$/.exec(name) ?? [];
    const [before, after] = [of?.clean[name], of?.adversarial[name]];
    return label === undefined || typeof before !== "number" ? [] : [{ metric, label: Number(label), before, after: after ?? 0 }];
  });
  if (rows.length === 0) return "";
  const share = (v: number) => `${(100 * v).toFixed(1)}\u00a0%`;
  const body = rows.map(({ label, before, after }) => {
    const color = classColor(label);
    return `<tr><th scope="row"><i class="swatch" style="background:${color ?? "none"}"></i>${plain(className(label))}</th><td>${share(before)}</td><td>${share(after)}</td><td class="bars"><span style="width:${(100 * before).toFixed(1)}%"></span><b style="width:${(100 * after).toFixed(1)}%"></b></td></tr>`;
  });
  const html = `<div class="scroll"><table class="classes">
<thead><tr><th scope="col">class</th><th scope="col">${plain(rows[0]!.metric)}, clean</th><th scope="col">adversarial</th><th class="bars"></th></tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table></div>`;
  return rows.length > 12 ? folded(`Class by class (${rows.length})`, html) : `<h3 class="sub">Class by class</h3>\n${html}`;
}

/** What the names of the metrics mean. */
function footnotes(names: readonly string[], task: Report["plan"]["spec"]["task"]): string {
  const { formats } = tasks[task];
  const notes = names.flatMap((name) => (formats[name]?.about ? [`<b>${plain(name)}</b>: ${plain(formats[name].about)}`] : []));
  return notes.length > 0 ? `<p class="footnote">${notes.join(". ")}.</p>` : "";
}
