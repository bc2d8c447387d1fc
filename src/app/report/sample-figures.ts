import type { Legend, Panel } from "../../vision/render/drawing.js";
import type { AttackRecord } from "../attack/run-attack.js";
import { zoomable } from "./document.js";
import type { Headline } from "./headline.js";
import { plain } from "./html.js";
import { arrow } from "./icons.js";
import type { Report } from "./page.js";
import type { Figure, Specimen } from "./specimens.js";

/** The samples with their pictures, one legend for all where colors mean the same in all. */
export function sampleFigures(report: Report): string {
  const { summary, number, specimens } = report;
  if (specimens.length === 0) return "";
  const classes = classLegend(specimens);
  return `<section>
<h2>Samples</h2>
<p class="lead">${specimens.length < summary.samples ? `${specimens.length} of ${summary.samples}, chosen by the damage done; the others follow small. ` : ""}Click a figure to enlarge it.</p>
${classes}
${specimens.map((s) => specimen(s, number, report.wheel, classes === "")).join("\n")}
${gallery(report)}
</section>`;
}

/** 71.2 % -> 3.1 % */
function change({ of, each }: Headline, record: AttackRecord): string {
  return `${each(of(record, "clean"))}${arrow()}<span class="hit">${each(of(record, "adversarial"))}</span>`;
}

function specimen(
  { record, rank, figures, legend }: Specimen,
  number: Headline,
  wheel: string | undefined,
  own: boolean,
): string {
  const label = number.label === "top-1" ? "" : `${plain(number.label)} `;
  return `<article class="sample">
<header><h3>${plain(record.sample)}</h3>${rank ? `<span class="rank">${rank}</span>` : ""}<span class="value">${label}${change(number, record)}</span></header>
<div class="figures">
${figures.map((f) => figure(f, record.sample)).join("\n")}
</div>
${legend && own ? legendOf(legend, wheel) : ""}
</article>`;
}

export function figure(panel: Figure, sample: string): string {
  const caption = `<figcaption><b>${plain(panel.title)}</b>${panel.note ? `, ${plain(panel.note)}` : ""}</figcaption>`;
  if (panel.guesses) return `<figure>${guesses(panel.guesses)}${caption}</figure>`;
  if (!panel.source) return `<figure>${caption}</figure>`;
  return `<figure>${zoomable(panel.source, `${panel.title} of ${sample}`, panel.width < 200)}${caption}</figure>`;
}

const guesses = (list: NonNullable<Panel["guesses"]>): string =>
  `<div class="guesses">${list
    .map(
      (g) =>
        `<div class="bar ${g.kind}" style="--p:${(100 * g.probability).toFixed(1)}%"><span>${plain(g.name)}</span><span>${(100 * g.probability).toFixed(1)} %</span></div>`,
    )
    .join("")}</div>`;

/** The samples that are not shown whole, by their saved images. */
function gallery({ number, others: { small, unseen } }: Report): string {
  if (small.length === 0) return "";
  const tile = ({ record, source }: (typeof small)[number]) =>
    `<figure>${zoomable(source, `Adversarial image of ${record.sample}`, false)}<figcaption><b>${plain(record.sample)}</b><br>${change(number, record)}</figcaption></figure>`;
  return `<article class="sample">
<header><h3>The others</h3><span class="value">adversarial images as saved, hit hardest first</span></header>
<div class="gallery">
${small.map(tile).join("\n")}
</div>
${unseen ? `<p class="soft">${unseen} more lie in the run directory, in images/; records.jsonl has their numbers.</p>` : ""}
</article>`;
}

/** The classes of all samples together, by their numbers, so that every report of a model has one order. */
function classLegend(specimens: readonly Specimen[]): string {
  const entries = new Map<number, Extract<Legend, { kind: "classes" }>["entries"][number]>();
  for (const { legend } of specimens) if (legend?.kind === "classes") for (const e of legend.entries) entries.set(e.label, e);
  const sorted = [...entries.values()].sort((a, b) => a.label - b.label);
  return sorted.length > 0 ? legendOf({ kind: "classes", entries: sorted }, undefined) : "";
}

function legendOf(legend: Legend, wheel: string | undefined): string {
  if (legend.kind === "wheel")
    return `<div class="legend"><img src="${wheel}" alt="Color wheel"><span>Hue is the direction of motion, full color a motion of ${legend.pixels.toPrecision(3)} pixels, white none.</span></div>`;
  if (legend.kind === "scale")
    return `<div class="legend"><span>${legend.low.toPrecision(3)}</span><span class="scale" style="background:linear-gradient(90deg,${legend.colors.join(",")})"></span><span>${legend.high.toPrecision(3)} ${plain(legend.of)}; the scale is the clean one's</span></div>`;
  return `<div class="legend">${legend.entries
    .map((e) => `<span><i style="background:${e.color ?? "none"}"></i>${plain(e.name)}</span>`)
    .join("")}</div>`;
}
