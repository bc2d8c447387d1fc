import type { PlaceSpectrum } from "../../methods/spectrum/index.js";
import { distinctNames } from "../distinct-names.js";
import { page, table } from "../report/document.js";
import { plain } from "../report/html.js";
import { legend, radialFigure } from "./figures.js";
import { isPartOf, paired, type Row } from "./pairs.js";
import { map, measureOf, percent } from "./report.js";
import type { SpectrumResult } from "./result.js";

/** What `faultline spectrum compare` finds: comparison.json holds it. */
export interface Comparison {
  /** What the models are called beside each other. */
  readonly models: readonly string[];
  readonly layers: readonly ComparedLayer[];
}

/** One layer as each model has it. Lists are in the order of the models; undefined (null in JSON) where a model has no such layer. */
export interface ComparedLayer {
  readonly layer: string;
  readonly direction: PlaceSpectrum["direction"];
  /** [C, H, W] */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** `PlaceSpectrum.share` and `shareWithoutMean`. */
  readonly shares: readonly (number | undefined)[];
  readonly sharesWithoutMean: readonly (number | undefined)[];
  /** Radial power of the map after the layer. */
  readonly spectra: readonly (readonly number[] | undefined)[];
}

export function comparisonOf(results: readonly SpectrumResult[]): Comparison {
  const layers = paired(results.map((r) => r.places)).map((row): ComparedLayer => {
    const { direction, before, after } = row.find((p) => p !== undefined)!;
    return {
      ...{ layer: namesOf(row), direction, before, after },
      shares: row.map((p) => p?.share),
      sharesWithoutMean: row.map((p) => p?.shareWithoutMean),
      spectra: row.map((p) => p?.radialAfter),
    };
  });
  return { models: distinctNames(results.map((r) => r.model.path)), layers };
}

/** What a gap in a comparison means. */
export const noSuchLayer =
  "the model has no such layer: an alias-free form samples nothing before its low-pass, and is not among those that are measured";

/** The names of one layer, but for those that only say which part of it they are. */
const namesOf = (row: Row): string =>
  row
    .filter((p) => p !== undefined)
    .filter((p, i, all) => all.findIndex((other) => p.node === other.node || isPartOf(p, other)) === i)
    .map((p) => p.node)
    .join(" / ");

/** report.html of several models side by side, layer by layer. */
export function comparisonPage({ models, layers }: Comparison, results: readonly SpectrumResult[]): string {
  const lines = layers.map(({ layer, shares, before, after, ...rest }) => [
    layer,
    ...shares.map((share) => (share === undefined ? "–" : percent(share))),
    measureOf(rest),
    `${map(before)} to ${map(after)}`,
  ]);
  const figures = layers.map(({ layer, spectra }) => {
    const curves = spectra.flatMap((power, k) => (power ? [{ name: models[k]!, power }] : []));
    return `<section><h3>${plain(`After ${layer}`)}</h3>${legend(curves)}${radialFigure(results[0]!.frequencies, curves)}</section>`;
  });
  const title = `Spectra of ${models.join(" and ")}`;
  return page(
    "spectrum",
    title,
    `<h1>${plain(title)}</h1>
${results.map((r, i) => `<p>${plain(models[i]!)}: ${plain(r.pictures.source)}</p>`).join("\n")}
<h2>Where the resolution changes</h2>
<div class="scroll">${table(["layer", ...models, "of the energy", "map"], lines)}</div>
${layers.some(({ shares }) => shares.includes(undefined)) ? `<p class="soft">– ${plain(noSuchLayer)}</p>` : ""}
<h2>Spectra after each layer</h2>
<div class="places">${figures.join("\n")}</div>`,
  );
}
