import { join } from "node:path";
import { transferCells, transferHead } from "../attack/transfer-text.js";
import { comparisonFigure, profileFigure } from "../criticality/figure.js";
import type { CriticalityResult } from "../criticality/result.js";
import { percent as criticalityPercent } from "../criticality/words.js";
import type { TransferFrom } from "../evaluate/transfer-from.js";
import { nameOfModel } from "../name-of-model.js";
import { folded } from "../report/document.js";
import { plain } from "../report/html.js";
import { legend, radialFigure } from "../spectrum/figures.js";
import { measureOf, percent } from "../spectrum/report.js";
import type { SpectrumResult } from "../spectrum/result.js";
import { type FoundRun, readJson } from "./find.js";
import type { Row } from "./runs.js";
import { tableHtml } from "./table-html.js";
import type { Cell, Table } from "./tables.js";

// What other commands than attacks say of models: layer criticality, spectra; and the images of a run on other models.

/** Results of other commands, with the names of their runs. */
export interface Others {
  readonly criticality: readonly { readonly name: string; readonly result: CriticalityResult }[];
  readonly spectra: readonly { readonly name: string; readonly result: SpectrumResult }[];
}

export const readOthers = (
  criticality: readonly FoundRun[],
  spectra: readonly FoundRun[],
  nameOf: (path: string) => string,
): Others => ({
  criticality: criticality.map(({ path }) => ({
    name: nameOf(path),
    result: readJson<CriticalityResult>(join(path, "criticality.json")),
  })),
  spectra: spectra.map(({ path }) => ({ name: nameOf(path), result: readJson<SpectrumResult>(join(path, "spectrum.json")) })),
});

/** Figures of one kind: more would make the page heavy. */
const mostFigures = 12;

const figures = (list: readonly string[], what: string): string =>
  `${list.slice(0, mostFigures).join("\n")}${list.length > mostFigures ? `<p class="soft">${list.length - mostFigures} more ${what} are in the reports of their runs.</p>` : ""}`;

/** Profiles: runs of the same layers, reset alike and measured alike, in one figure. */
export function criticalitySection({ criticality }: Others): string {
  if (criticality.length === 0) return "";
  const alike = new Map<string, Others["criticality"][number][]>();
  for (const run of criticality) {
    const { reset, measure, layers } = run.result;
    const key = JSON.stringify([reset, measure, layers.map((l) => l.name)]);
    alike.set(key, [...(alike.get(key) ?? []), run]);
  }
  const table: Table = {
    caption: "Mean criticality",
    head: [
      { text: "run", kind: "text" },
      { text: "model", kind: "text" },
      { text: "mean criticality", kind: "number" },
      { text: "layers", kind: "number" },
      { text: "most critical", kind: "text" },
      { text: "images", kind: "number" },
      { text: "intact accuracy", kind: "number" },
    ],
    rows: criticality.map(({ name, result: { model, average, layers, images, intactAccuracy } }): Cell[] => {
      const top = layers.toSorted((a, b) => b.criticality - a.criticality)[0];
      return [
        { text: name },
        { text: nameOfModel(model) },
        { text: criticalityPercent(average.mean), value: average.mean },
        { text: String(layers.length), value: layers.length },
        { text: top ? `${top.name} (${criticalityPercent(top.criticality)})` : "–" },
        { text: String(images), value: images },
        intactAccuracy === undefined
          ? { text: "–", value: null }
          : { text: criticalityPercent(intactAccuracy), value: intactAccuracy },
      ];
    }),
  };
  const drawn = [...alike.values()].map((runs) => {
    const [first, ...more] = runs as [(typeof runs)[number]];
    const shown = runs.slice(0, 6);
    const svg =
      more.length === 0
        ? profileFigure(first.result)
        : comparisonFigure(shown.map(({ name, result }) => ({ name, layers: result.layers })));
    const names = shown.map((r) => r.name).join(", ");
    const rest = runs.length > shown.length ? ` ${runs.length - shown.length} more runs have the same layers.` : "";
    return `<figure class="full">${svg}<figcaption>${plain(`${names}: ${first.result.measure}; ${first.result.reset}.${rest}`)}</figcaption></figure>`;
  });
  const differing =
    alike.size > 1
      ? `<p class="lead">Runs of other layers, other resets or other measures have figures of their own; their numbers do not compare.</p>`
      : "";
  const notes = [...new Set(criticality.flatMap(({ name, result }) => result.notes.map((n) => `${name}: ${n}`)))];
  return `<section id="criticality">
<h2>Layer criticality</h2>
${differing}${tableHtml(table)}
${figures(drawn, "profiles")}
${notes.length > 0 ? folded(`Notes (${notes.length})`, `<ul class="notes">${notes.map((n) => `<li>${plain(n)}</li>`).join("")}</ul>`) : ""}
</section>`;
}

/** Where maps alias: a row for each place of each model, and the spectra of the worst. */
export function spectraSection({ spectra }: Others): string {
  if (spectra.length === 0) return "";
  const places = spectra.flatMap(({ name, result }) => result.places.map((place) => ({ name, result, place })));
  const table: Table = {
    caption: "Where the resolution changes",
    head: [
      { text: "model", kind: "text" },
      { text: "layer", kind: "text" },
      { text: "share", kind: "number" },
      { text: "of the energy", kind: "text" },
      { text: "map", kind: "text" },
    ],
    rows: places.map(({ name, place }): Cell[] => [
      { text: name },
      { text: place.node },
      { text: percent(place.share), value: place.share },
      { text: measureOf(place) },
      { text: `${place.before.join("x")} to ${place.after.join("x")}` },
    ]),
  };
  // The places that hold most of what they should not, so that each model comes to its turn.
  const drawn = spectra.flatMap(({ name, result }) => {
    const worst = result.places.toSorted((a, b) => b.share - a.share)[0];
    if (!worst) return [];
    const curves = [
      { name: "map before", power: worst.radialBefore },
      { name: "map after", power: worst.radialAfter },
    ];
    const limit = worst.direction === "down" ? 0.5 / Math.max(...worst.factor) : undefined;
    return [
      `<section><h3>${plain(`${name}: ${worst.node}`)}</h3>${legend(curves)}${radialFigure(result.frequencies, curves, limit)}</section>`,
    ];
  });
  const attacked = spectra.flatMap(({ name, result: { underAttack: of, frequencies } }) => {
    if (!of) return [];
    const curves = [{ name: "perturbation", power: of.perturbation }];
    return [
      `<section><h3>${plain(`${name}: what ${of.attack} adds`)}</h3>${legend(curves)}${radialFigure(frequencies, curves)}</section>`,
    ];
  });
  const sources = new Set(spectra.map(({ result }) => result.pictures.source));
  return `<section id="spectra">
<h2>Spectra</h2>
<p class="lead">${sources.size > 1 ? "Measured on different pictures, so shares of different models are not of the same thing. " : ""}For each model the place with the largest share is drawn; the dashed line is the limit of the smaller map.</p>
${places.length > 12 ? folded(`All places (${places.length})`, tableHtml(table)) : tableHtml(table)}
<div class="places">${figures([...drawn, ...attacked], "spectra")}</div>
</section>`;
}

/** Images of runs on other models. */
export function transferSection(rows: readonly Row[], transfers: readonly TransferFrom[]): string {
  const moved = rows.filter((row) => (row.summary.transfer ?? []).length > 0);
  if (moved.length + transfers.length === 0) return "";
  // A model's evaluation has rows of its own task, so any of them knows the heads.
  const heads = (moved.length > 0 ? moved : rows.slice(0, 1)).map(({ plan }) => transferHead(plan));
  const [longest] = heads.toSorted((a, b) => b.length - a.length) as [(typeof heads)[number], ...typeof heads];
  const ofOne = heads.every(([clean]) => clean === longest[0]);
  const head = ofOne ? longest : ["clean, by each run's own metric", ...longest.slice(1)];
  const table: Table = {
    caption: "Images on other models",
    head: [
      { text: "made by", kind: "text" },
      { text: "for", kind: "text" },
      { text: "shown to", kind: "text" },
      ...head.map((text) => ({ text, kind: "text" as const })),
    ],
    rows: [
      ...moved.flatMap((row) =>
        row.summary.transfer!.map((t): Cell[] => {
          const cells = transferCells(row.plan, t);
          return [
            { text: row.name },
            { text: row.facts.model! },
            { text: t.model },
            ...head.map((_, i) => ({ text: cells[i] ?? "–" })),
          ];
        }),
      ),
      ...transfers.map(({ run, attack, from, on, clean, adversarial, saved, turned }): Cell[] => {
        const cells = [clean, adversarial, saved].map((v) => v?.toFixed(4) ?? "not kept");
        const won = turned ? [`${(100 * turned.share).toFixed(1)} % of ${turned.of}`] : [];
        return [
          { text: `${run} (${attack})` },
          { text: `${from.model} ${from.sha256.slice(0, 6)}` },
          { text: on.model },
          ...head.map((_, i) => ({ text: [...cells, ...won][i] ?? "–" })),
        ];
      }),
    ],
  };
  return `<section id="transfer">
<h2>On other models</h2>
<p class="lead">The images were made for one model, and shown to others as they are.</p>
${table.rows.length > 40 ? folded(`All of them (${table.rows.length})`, tableHtml(table)) : tableHtml(table)}
</section>`;
}
