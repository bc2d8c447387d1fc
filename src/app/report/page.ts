import type { Panel } from "../../vision/render/drawing.js";
import { assumptionsNamed, assumptionWords } from "../../vision/spec/assumptions.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Check } from "../attack/audit.js";
import { typed } from "../attack/parameters.js";
import type { AttackPlan } from "../attack/plan.js";
import type { AttackRecord } from "../attack/run-attack.js";
import { type AttackSummary, references, stages } from "../attack/summary.js";
import { beforeAndAfter, lossCurves } from "./charts.js";
import { type Headline, metricText } from "./headline.js";
import { plain } from "./html.js";
import type { Choice, Specimen } from "./specimens.js";
import { style } from "./style.js";
import {
  attackName,
  framingText,
  headlineSentence,
  modelName,
  radius,
  referenceWords,
  reproduce,
  sizeText,
  targetText,
  tilesText,
} from "./words.js";

export interface Report {
  readonly plan: AttackPlan;
  readonly summary: AttackSummary;
  readonly number: Headline;
  readonly records: readonly AttackRecord[];
  readonly checks: readonly Check[];
  readonly specimens: readonly Specimen[];
  readonly others: Pick<Choice, "small" | "unseen">;
  /** The run directory, as the user named it. */
  readonly path: string;
}

/** The whole page. Pictures are files beside it; nothing is loaded from elsewhere. */
export function page(report: Report): string {
  const sentence = headlineSentence(report.plan, report.summary, report.number);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${plain(`${attackName(report.plan)} on ${modelName(report.plan)}`)}</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="brand"><b>Faultline</b> attack report</p>
<h1>${plain(sentence)}</h1>
${facts(report)}
${table(report)}
${samples(report)}
${charts(report)}
${auditList(report)}
${setting(report)}
</main>
</body>
</html>
`;
}

function facts({ plan, summary, number, checks }: Report): string {
  const count = (verdict: Check["verdict"]) => checks.filter((c) => c.verdict === verdict).length;
  const audit = [
    `<span style="color:var(--good)">${count("passed")}</span> <small>passed</small>`,
    ...(count("warning") ? [`<span style="color:var(--warn)">${count("warning")}</span> <small>to look at</small>`] : []),
    ...(count("failed") ? [`<span style="color:var(--bad)">${count("failed")}</span> <small>failed</small>`] : []),
  ].join(" ");
  const fact = (name: string, value: string) => `<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const { norm, epsilon, steps, restarts = 1 } = plan.attack.budget;
  const length = epsilon ?? summary.perturbation[norm];
  return `<dl class="facts">
${summary.samples > 0 ? fact(factName(number), change(number.text, number.over("clean"), number.over("adversarial"))) : ""}
${fact(epsilon === undefined ? "Largest change" : "Radius", `${radius(length, norm)} <small>in ${norm.replace("_inf", "<sub>∞</sub>").replace(/_(\d)/, "<sub>$1</sub>")}</small>`)}
${steps === undefined ? "" : fact("Budget", `${steps} <small>step${steps === 1 ? "" : "s"}${restarts > 1 ? ` × ${restarts} starts` : ""}</small>`)}
${fact('<a href="#audit">Audit</a>', audit)}
</dl>`;
}

/** 71.2 % -> 3.1 % */
const change = (text: Headline["text"], before: number | null, after: number | null): string =>
  `${text(before)}${arrow}<span class="hit">${text(after)}</span>`;

const factName = ({ kind, label, reference }: Headline): string =>
  kind === "pixels turned" ? "Pixels turned to the target" : `${label} ${referenceWords[reference]}`;

function table({ plan, summary }: Report): string {
  const rows = references.flatMap((reference) => {
    const of = summary.metrics[reference];
    if (!of) return [];
    // One row for each class would be too many.
    const names = Object.keys(of.clean).filter((name) => name in tasks[plan.spec.task].formats);
    const head = `<tr class="group"><th colspan="4" scope="colgroup">${referenceWords[reference]}${reference === "target" ? ` (${plain(targetText(plan))})` : ""}</th></tr>`;
    return [
      head,
      ...names.map(
        (name) =>
          `<tr><th scope="row">${plain(name)}</th>${stages.map((s) => `<td${s === "adversarial" && name === summary.headline.name ? ' class="hit"' : ""}>${metricText(tasks[plan.spec.task], name, of[s][name])}</td>`).join("")}</tr>`,
      ),
    ];
  });
  const loss = stages.map((s) => `<td>${summary.loss[s]?.toPrecision(4) ?? "–"}</td>`).join("");
  const failed = summary.errors.length;
  return `<section>
<h2>Result</h2>
<p class="lead">Over ${summary.samples} sample${summary.samples === 1 ? "" : "s"}${failed ? `; ${failed} more failed and are in no number` : ""}. What counts is the column "adversarial": the images that the attack found, as other tables report them. Beside it, the same images rounded to files of 8 bits per intensity, and predicted again.${summary.metrics.truth ? "" : " There is no ground truth here, so the model is compared with itself."}</p>
<div class="scroll"><table>
<thead><tr><th></th><th scope="col">clean</th><th scope="col">adversarial</th><th scope="col">saved as 8-bit</th></tr></thead>
<tbody>
${rows.join("\n")}
<tr class="group"><th colspan="4" scope="colgroup">the attack's own measure</th></tr>
<tr><th scope="row">mean loss</th>${loss}</tr>
</tbody>
</table></div>
</section>`;
}

function samples({ plan, summary, number, specimens, others }: Report): string {
  if (specimens.length === 0) return "";
  return `<section>
<h2>Samples</h2>
<p class="lead">${specimens.length < summary.samples ? `${specimens.length} of ${summary.samples}, chosen by the damage done; the others follow small. ` : ""}Each figure opens in full size.</p>
${specimens
  .map(
    ({ record, rank, figures, legend }) => `<article class="sample">
<header><h3>${plain(record.sample)}</h3>${rank ? `<span class="rank">${rank}</span>` : ""}<span class="value">${number.label === "top-1" ? "" : `${plain(number.label)} `}${change(number.each, number.of(record, "clean"), number.of(record, "adversarial"))}</span></header>
<div class="figures">
${figures.map((f) => figure(f, record.sample)).join("\n")}
</div>
${legend ? legendOf(legend) : ""}
</article>`,
  )
  .join("\n")}
${gallery(plan, number, others)}
</section>`;
}

/** The samples that are not shown whole, by their saved images. */
function gallery({ threat }: AttackPlan, number: Headline, { small, unseen }: Report["others"]): string {
  if (small.length === 0) return "";
  const tile = (record: AttackRecord) => {
    const [role] = threat.perturb ?? Object.keys(record.files!);
    const file = record.files![role!]!;
    const value = change(number.each, number.of(record, "clean"), number.of(record, "adversarial"));
    return `<figure><a href="${file}"><img src="${file}" alt="${plain(`Adversarial image of ${record.sample}`)}" loading="lazy"></a><figcaption><b>${plain(record.sample)}</b><br>${value}</figcaption></figure>`;
  };
  return `<article class="sample">
<header><h3>The others</h3><span class="value">adversarial images as saved, hit hardest first</span></header>
<div class="gallery">
${small.map(tile).join("\n")}
</div>
${unseen ? `<p class="soft">${unseen} more lie in <a href="images/">images/</a>; records.jsonl has their numbers.</p>` : ""}
</article>`;
}

function figure(panel: Specimen["figures"][number], sample: string): string {
  const caption = `<figcaption><b>${plain(panel.title)}</b>${panel.note ? `, ${plain(panel.note)}` : ""}</figcaption>`;
  if (panel.guesses) return `<figure>${guesses(panel.guesses)}${caption}</figure>`;
  if (!panel.file) return `<figure>${caption}</figure>`;
  return `<figure><a href="${panel.file}"><img src="${panel.file}" alt="${plain(`${panel.title} of ${sample}`)}"${panel.width < 200 ? ' class="small"' : ""} loading="lazy"></a>${caption}</figure>`;
}

const guesses = (list: NonNullable<Panel["guesses"]>): string =>
  `<div class="guesses">${list
    .map(
      (g) =>
        `<div class="bar ${g.kind}" style="--p:${(100 * g.probability).toFixed(1)}%"><span>${plain(g.name)}</span><span>${(100 * g.probability).toFixed(1)} %</span></div>`,
    )
    .join("")}</div>`;

function legendOf(legend: NonNullable<Specimen["legend"]>): string {
  if (legend.kind === "wheel")
    return `<div class="legend"><img src="report/wheel.png" alt="Color wheel"><span>Hue is the direction of motion, full color a motion of ${legend.pixels.toPrecision(3)} pixels, white none.</span></div>`;
  if (legend.kind === "scale")
    return `<div class="legend"><span>${legend.low.toPrecision(3)}</span><span class="scale" style="background:linear-gradient(90deg,${legend.colors.join(",")})"></span><span>${legend.high.toPrecision(3)} ${plain(legend.of)}; the scale is the clean one's</span></div>`;
  return `<div class="legend">${legend.entries
    .map((e) => `<span><i style="background:${e.color ?? "none"}"></i>${plain(e.name)}</span>`)
    .join("")}</div>`;
}

function charts({ plan, summary, number, records }: Report): string {
  if (summary.samples === 0) return "";
  const many = summary.samples > 24;
  return `<section>
<h2>Course and spread</h2>
<div class="charts">
<figure>${lossCurves(plan, summary, records)}<figcaption>Loss before each step and of the result: the mean over the samples${summary.samples > 1 ? ", and each of them thin" : ""}.</figcaption></figure>
<figure>${beforeAndAfter(records, number)}<figcaption>${plain(factName(number))}, ${many ? `histogram over the samples: ${number.reference === "truth" ? "gray clean, colored saved adversarial" : "saved adversarial"}` : "sample by sample: ring clean, disc saved adversarial"}.</figcaption></figure>
</div>
</section>`;
}

/** Drawn, not typed: not every font has the signs. */
const icon = (path: string, size: number): string =>
  `<svg viewBox="0 0 16 16" width="${size}" height="${size}" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="${path}"/></svg>`;
const arrow = `<span class="arrow" role="img" aria-label="to">${icon("M2 8h11M9 4l4 4-4 4", 14)}</span>`;
const marks = {
  passed: icon("M3.5 8.5l3 3 6-7", 14),
  warning: icon("M8 3.5v5M8 12v.2", 14),
  failed: icon("M4.5 4.5l7 7M11.5 4.5l-7 7", 14),
  "not applicable": icon("M4.5 8h7", 14),
} as const;
const verdictWords = { passed: "passed", warning: "to look at", failed: "failed", "not applicable": "does not apply" } as const;

function auditList({ checks }: Report): string {
  const number = (v: number | string | null) =>
    typeof v === "number" ? String(Number(v.toPrecision(6))) : (v ?? "not a number");
  return `<section id="audit">
<h2>Audit</h2>
<p class="lead">Can these numbers be believed? Weak attacks make weak models look strong, so the attack itself is examined.</p>
<ul class="checks">
${checks
  .map(
    (c) =>
      `<li class="${c.verdict.replace(" ", "-")}"><span class="mark" aria-hidden="true">${marks[c.verdict]}</span><div><h3>${plain(c.name)}<span class="verdict">${verdictWords[c.verdict]}</span></h3><p>${plain(c.sentence)}</p>${
        Object.keys(c.numbers).length > 0
          ? `<details><summary>numbers</summary><dl>${Object.entries(c.numbers)
              .map(([name, v]) => `<dt>${plain(name)}</dt><dd>${plain(number(v))}</dd>`)
              .join("")}</dl></details>`
          : ""
      }</div></li>`,
  )
  .join("\n")}
</ul>
</section>`;
}

function setting({ plan, summary, path }: Report): string {
  const { model, spec, data, attack, fit, runtime } = plan;
  const range =
    typeof spec.range === "string" ? spec.range : `(x − ${spec.range.mean.join(", ")}) / ${spec.range.std.join(", ")}`;
  const rows: [string, string][] = [
    ["Model", `${model.path}, SHA-256 ${model.sha256}`],
    ["Expects", `${spec.channels.toUpperCase()}, ${range}; ${sizeText(spec.size)}; ${spec.layout.toUpperCase()}`],
    ...(plan.assumed?.length
      ? [
          ["Assumed", `${assumptionWords(assumptionsNamed(plan.assumed, spec))}: nobody said so; these flags settle it`] as [
            string,
            string,
          ],
        ]
      : []),
    ["Yields", `${spec.task}${tasks[spec.task].output.meanings.length > 1 ? ` as ${spec.output.meaning}` : ""}`],
    [
      "Data",
      `${data.path}${data.split ? `, ${data.split}` : ""}, ${data.length} samples${data.limit ? `, ${data.limit} of them chosen by the seed` : ""}`,
    ],
    ["Sizes", `${pictureWords(fit)}${fitWords(plan, summary)}`],
    [
      "Attack",
      `${attackName(plan)} (${attack.definition.source}): ${typed(attack)
        .map(([flag, value]) => `${flag.slice(2)} ${value}`)
        .join(", ")}`,
    ],
    [
      "Goal",
      plan.goal.kind === "targeted"
        ? `towards ${targetText(plan)}`
        : `away from ${plan.reference === "truth" ? "the ground truth, where there is one, else " : ""}the model's own clean prediction`,
    ],
    [
      "Computed by",
      `Faultline ${plan.version}, ${runtime.runtime}, provider ${runtime.provider}, ${runtime.threads} thread${runtime.threads === 1 ? "" : "s"}, optimization ${runtime.optimization}`,
    ],
    ["Seed", String(plan.seed)],
  ];
  return `<section>
<h2>Setting</h2>
<dl class="setting">${rows.map(([name, value]) => `<dt>${name}</dt><dd>${plain(value)}</dd>`).join("")}</dl>
<p style="margin-top:22px">This command makes the run again, bit for bit where provider and version are the same:</p>
<pre>${plain(reproduce(plan, `${path}/spec.json`, `${path}-again`))}</pre>
</section>`;
}

function pictureWords({ resize, shorter, crop }: AttackPlan["fit"]): string {
  const ways = [
    ...(resize ? [`resized to ${resize.height}×${resize.width} (bilinear, antialiased)`] : []),
    ...(shorter === undefined ? [] : [`resized to ${shorter} pixels on the shorter side`]),
    ...(crop ? [`cropped to the middle ${crop.height}×${crop.width}`] : []),
  ];
  return ways.length > 0 ? `pictures are ${ways.join(", then ")} before anything else; ` : "";
}

function fitWords(plan: AttackPlan, { tiles, framing }: AttackSummary): string {
  const { fit } = plan;
  if (fit.mismatch !== "tile") return framing ? framingText(plan, framing) : "all pictures have a size that the model takes";
  const cut = tiles ? tilesText(fit.tiles, tiles) : "tiles";
  return `predicted in ${cut}. Each pixel's prediction is taken from the tile that has most context around it. All tiles of an image are attacked together, and every number is of a whole image predicted in tiles anew`;
}
