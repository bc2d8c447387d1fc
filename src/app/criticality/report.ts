import { nameOfModel } from "../name-of-model.js";
import { page, table } from "../report/document.js";
import { plain } from "../report/html.js";
import { profileFigure } from "./figure.js";
import type { CriticalityResult } from "./result.js";
import { scales } from "./scale.js";
import { deviationOf, hasPublishedBand, inWords, percent, stageNames } from "./words.js";

/** report.html of a run. */
export function reportPage(result: CriticalityResult): string {
  const [first, ...others] = inWords(result);
  const { average, intactAccuracy, layers, images, trials } = result;
  const facts: (readonly [string, string])[] = [
    ["mean criticality", percent(average.mean)],
    [layers.some((l) => l.kind === "group") ? "groups" : "layers", String(layers.length)],
    ["images", String(images)],
    ["trials", String(trials)],
    ...(intactAccuracy === undefined ? [] : [["intact accuracy", percent(intactAccuracy)] as const]),
  ];
  const labeled = intactAccuracy !== undefined;
  const classes = layers[0]?.trials[0]?.flips !== undefined;
  const mean = (values: readonly (number | undefined)[]) => values.reduce<number>((a, b) => a + (b ?? 0), 0) / values.length;
  const rows = layers.map(({ name, kind, stage, criticality, deviation, trials: t }) => [
    name,
    kind,
    stage,
    percent(criticality),
    t.length > 1 ? `±${percent(deviation)}` : "",
    mean(t.map((x) => x.l1)).toFixed(3),
    mean(t.map((x) => x.l2)).toFixed(3),
    ...(classes ? [mean(t.map((x) => x.kl)).toFixed(3), percent(mean(t.map((x) => x.flips)))] : []),
    ...(labeled ? [percent(mean(t.map((x) => x.recovered)))] : []),
  ]);
  const head = [
    "layer",
    "kind",
    "stage",
    "criticality",
    "spread",
    "L1",
    "L2",
    ...(classes ? ["KL", "changed label"] : []),
    ...(labeled ? ["top-1 recovered"] : []),
  ];
  const names = stageNames(layers);
  const beyond = layers.flatMap((l) => l.trials).some((t) => (t.recovered ?? 0) > 1);
  const band = hasPublishedBand(result) ? " Gray: mean and standard deviation of 50 published ResNet-50 on ImageNet." : "";
  return page(
    "layer criticality",
    `Criticality of ${nameOfModel(result.model)}`,
    `<h1>${plain(first!)}</h1>
<figure class="full">${profileFigure(result)}<figcaption>Criticality of each layer, in the order in which they are applied: how much the predictions change when it alone gets fresh weights. Dots: mean over the trials; bars: one standard deviation; hollow dots are normalizations.${band} Dotted: ${scales[result.scale.of].key}.</figcaption></figure>
<dl class="facts">${facts.map(([k, v]) => `<div><dt>${k}</dt><dd>${v}</dd></div>`).join("")}</dl>
<h2>What it says</h2>
<ul class="notes">${others.map((s) => `<li>${plain(s)}</li>`).join("")}</ul>
<h2>Stages</h2>
<div class="scroll">${table(
      ["stage", "layers", "mean", "deviation over its layers"],
      result.stages.map((s) => [names.get(s.name)!, String(s.layers), percent(s.mean), deviationOf(s)]),
    )}</div>
<details class="fold"><summary>All numbers, layer by layer</summary>
<div class="scroll">${table(head, rows)}</div>
${labeled ? `<p class="soft">Top-1 recovered: accuracy after the reset over that of the intact network.${beyond ? " Above 100 % the reset network happens to get a few more of these images right; that is chance, not a better network." : ""}</p>` : ""}
</details>
<h2>How it was measured</h2>
<p>Criticality: ${plain(result.measure)}. Each layer is reset (${plain(result.reset)}), all others keep their trained weights, nothing is retrained.</p>
${result.notes.length > 0 ? `<ul class="notes">${result.notes.map((n) => `<li>${plain(n)}</li>`).join("")}</ul>` : ""}`,
  );
}
