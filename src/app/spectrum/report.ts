import type { PlaceSpectrum } from "../../methods/spectrum/index.js";
import { nameOfModel } from "../name-of-model.js";
import { page, table } from "../report/document.js";
import { plain } from "../report/html.js";
import { radius } from "../report/words.js";
import { type Curve, legend, radialFigure } from "./figures.js";
import type { SpectrumResult } from "./result.js";

/** A share in percent; what is not nothing is not written as 0. */
export const percent = (share: number): string =>
  share > 0 && share < 1e-5 ? "below 0.001 %" : `${(100 * share).toFixed(share < 0.001 && share > 0 ? 3 : 1)} %`;
export const map = (shape: readonly number[]): string => shape.join("x");

/** What the share of a place means, in words. */
export const measureOf = ({ direction }: Pick<PlaceSpectrum, "direction">): string =>
  direction === "down" ? "above the new Nyquist limit" : "at the frequencies of the grid";

/** report.html of one model. */
export function reportPage(result: SpectrumResult): string {
  const { places, pictures, underAttack } = result;
  const name = nameOfModel(result.model.path);
  const down = places.filter((p) => p.direction === "down");
  const worst = [...down].sort((a, b) => b.share - a.share)[0];
  const sentence = worst
    ? `${percent(worst.share)} of the energy that ${worst.node} of ${name} samples lies above what its map can hold, and comes back as something else.`
    : `${name} has no layer that lowers the resolution of a map.`;
  return page(
    "spectrum",
    `Spectrum of ${name}`,
    `<h1>${plain(sentence)}</h1>
<p>Measured on ${plain(pictures.source)}. Energies are of all pictures and channels together.</p>
<h2>Where the resolution changes</h2>
<div class="scroll">${placesTable(places)}</div>
<h2>Spectra before and after</h2>
<div class="places">${places.map((p) => placeSection(result, p)).join("\n")}</div>
${underAttack ? attackSection(result) : ""}`,
  );
}

export const placesTable = (places: readonly PlaceSpectrum[]): string =>
  table(
    ["layer", "share", "without the mean", "of the energy", "form", "map"],
    places.map((p) => [
      p.node,
      percent(p.share),
      percent(p.shareWithoutMean),
      measureOf(p),
      p.form,
      `${map(p.before)} to ${map(p.after)}`,
    ]),
  );

function placeSection({ frequencies }: SpectrumResult, p: PlaceSpectrum): string {
  const curves: Curve[] = [
    { name: "map before", power: p.radialBefore },
    { name: "map after", power: p.radialAfter },
  ];
  const limit = p.direction === "down" ? 0.5 / Math.max(...p.factor) : undefined;
  const hardest = p.channels.map((share, channel) => ({ share, channel })).sort((a, b) => b.share - a.share);
  return `<section><h3>${plain(p.node)}</h3>
<p class="soft">${plain(p.form)}, ${map(p.before)} to ${map(p.after)}: ${percent(p.share)} ${measureOf(p)}. Channels with most: ${hardest
    .slice(0, 3)
    .map((c) => `${c.channel} (${percent(c.share)})`)
    .join(", ")}.${limit === undefined ? "" : " The dashed line is the limit."}</p>
${legend(curves)}${radialFigure(frequencies, curves, limit)}</section>`;
}

function attackSection({ frequencies, underAttack }: SpectrumResult): string {
  const { attack, norm, epsilon, steps, perturbation, prediction } = underAttack!;
  const changed: Curve[] = [{ name: "perturbation", power: perturbation }];
  const said: Curve[] = prediction
    ? [
        { name: "prediction, clean", power: prediction.clean },
        { name: "prediction, attacked", power: prediction.attacked },
      ]
    : [];
  return `<h2>Under attack</h2>
<p>${attack}${steps === undefined ? "" : `, ${steps} steps`}${epsilon === undefined ? "" : `, ε = ${radius(epsilon, norm)}`} in ${norm}, away from the model's own prediction.</p>
<div class="places"><section><h3>What the attack adds</h3>${legend(changed)}${radialFigure(frequencies, changed)}</section>
${said.length > 0 ? `<section><h3>What the model says</h3>${legend(said)}${radialFigure(frequencies, said)}</section>` : ""}</div>`;
}
