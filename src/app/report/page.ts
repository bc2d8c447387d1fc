import type { Check } from "../attack/audit.js";
import type { AttackPlan } from "../attack/plan.js";
import type { AttackRecord } from "../attack/run-attack.js";
import { type AttackSummary, coarseRemarks } from "../attack/summary.js";
import type { TransferSummary } from "../attack/transfer.js";
import { auditList } from "./audit-list.js";
import { beforeAndAfter, lossCurves } from "./charts.js";
import { page as document } from "./document.js";
import type { Headline } from "./headline.js";
import { plain } from "./html.js";
import { arrow } from "./icons.js";
import { resultTables } from "./result-tables.js";
import { figure, sampleFigures } from "./sample-figures.js";
import { settingList } from "./setting-list.js";
import { smallestSection } from "./smallest-curve.js";
import type { Choice, Figure, Specimen } from "./specimens.js";
import { transferSection } from "./transfer-section.js";
import { attackName, headlineSentence, modelName, nothingSeen, radius, referenceWords, stepWords } from "./words.js";

export interface Report {
  readonly plan: AttackPlan;
  readonly summary: AttackSummary;
  readonly number: Headline;
  readonly records: readonly AttackRecord[];
  /** Absent where the run was not audited. */
  readonly checks: readonly Check[] | undefined;
  /** What the images do on other models. */
  readonly transfers: readonly TransferSummary[];
  readonly specimens: readonly Specimen[];
  /** What the attack learned before it attacked. */
  readonly learned: readonly Figure[];
  readonly others: Pick<Choice, "unseen"> & {
    readonly small: readonly { readonly record: AttackRecord; readonly source: string }[];
  };
  readonly wheel: string | undefined;
  readonly className: (label: number) => string;
  /** Colors of the classes, where pixels have classes. */
  readonly classColor: (label: number) => string | undefined;
}

/** The whole page. */
export function page(report: Report): string {
  const { plan, summary, number } = report;
  return document(
    "attack report",
    `${attackName(plan)} on ${modelName(plan)}`,
    `<h1>${plain(headlineSentence(plan, summary, number))}</h1>
${hero(report)}
${[...coarseRemarks(summary), ...nothingSeen(plan, summary)]
  .map((sentence) => `<p class="lead">${plain(`${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`)}</p>`)
  .join("\n")}
${facts(report)}
${smallestSection(report)}
${resultTables(report)}
${transferSection(report)}
${learnedSection(report)}
${sampleFigures(report)}
${charts(report)}
${auditList(report)}
${settingList(report)}`,
  );
}

/** The one number. */
function hero({ summary, number }: Report): string {
  if (summary.samples === 0) return "";
  const { smallest } = summary;
  if (smallest)
    return `<p class="hero"><span class="numbers"><span class="hit">${smallest.median === null ? "–" : radius(smallest.median, smallest.norm)}</span></span><span class="of">${plain(`median size of the smallest perturbation (${smallest.norm})`)}</span></p>`;
  return `<p class="hero"><span class="numbers">${number.text(number.over("clean"))}${arrow(34)}<span class="hit">${number.text(number.over("adversarial"))}</span></span><span class="of">${plain(factName(number))}</span></p>`;
}

function facts({ plan, summary, checks }: Report): string {
  const count = (verdict: Check["verdict"]) => checks?.filter((c) => c.verdict === verdict).length ?? 0;
  const audit = checks
    ? [
        ...(count("failed") ? [`<span class="bad">${count("failed")}</span> <small>failed</small>`] : []),
        ...(count("warning") ? [`<span class="warn">${count("warning")}</span> <small>to look at</small>`] : []),
        `<span class="good">${count("passed")}</span> <small>passed</small>`,
      ].join(" ")
    : "<small>not audited</small>";
  const fact = (name: string, value: string) => `<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const { norm, epsilon, steps, restarts = 1 } = plan.attack.budget;
  const length = epsilon ?? summary.perturbation[norm];
  const starts = restarts > 1 ? ` × ${restarts} starts` : "";
  return `<dl class="facts">
${fact(epsilon === undefined ? "Largest change" : "Radius", `${radius(length, norm)} <small>${normNames[norm]}</small>`)}
${steps === undefined ? "" : fact("Search", `${steps} <small>step${steps === 1 ? "" : "s"}${plain(stepWords(plan))}${starts}</small>`)}
${fact("Pictures", `${summary.samples}${summary.errors.length > 0 ? ` <small>and ${summary.errors.length} that failed</small>` : ""}`)}
${fact('<a href="#audit">Audit</a>', audit)}
</dl>`;
}

/** What was learned for all pictures alike, and from what. */
function learnedSection({ plan, learned }: Report): string {
  const { fit } = plan.attack.definition;
  if (!fit || learned.length === 0) return "";
  const from =
    plan.fitOn?.kind === "share"
      ? `on ${percent(plan.fitOn.share)} of the samples, which are in no number`
      : plan.fitOn?.kind === "data"
        ? `on ${plan.fitOn.length} samples of another data set`
        : "before this run";
  return `<section>
<h2>What was learned</h2>
<p class="lead">One ${plain(fit.what)} for all pictures, learned ${plain(from)}; <code>${plain(fit.what)}.safetensors</code> in the run directory holds it, and <code>--perturbation</code> applies it again.</p>
<div class="figures">
${learned.map((panel) => figure(panel, plan.attack.name)).join("\n")}
</div>
</section>`;
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

const normNames = {
  l_inf: "of each color value (l<sub>∞</sub>)",
  l_2: "Euclidean length (l<sub>2</sub>)",
  l_1: "sum of changes (l<sub>1</sub>)",
  l_0: "color values changed (l<sub>0</sub>)",
} as const;

export const factName = ({ kind, label, reference }: Headline): string =>
  kind === "pixels turned" ? "Pixels turned to the target" : `${label} ${referenceWords[reference]}`;

function charts({ plan, summary, number, records }: Report): string {
  if (summary.samples === 0) return "";
  const many = summary.samples > 24;
  return `<section>
<h2>Course and spread</h2>
<div class="charts">
<figure>${lossCurves(plan, summary, records)}<figcaption>Loss before each step and of the result: the mean over the samples${summary.samples > 1 ? ", and each of them thin" : ""}.</figcaption></figure>
<figure>${beforeAndAfter(records, number)}<figcaption>${plain(factName(number))}, ${many ? `histogram over the samples: ${number.reference === "truth" ? "gray clean, colored adversarial" : "adversarial"}` : "sample by sample: ring clean, disc adversarial"}.</figcaption></figure>
</div>
</section>`;
}
