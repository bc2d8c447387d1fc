import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NormName } from "../../methods/attacks/lengths.js";
import { conversionText } from "../../vision/data/conversions.js";
import { formatOf, mayBeInfinite } from "../../vision/metrics/measure.js";
import { tasks } from "../../vision/tasks/index.js";
import { columns } from "../cli/table.js";
import type { Assets } from "../report/pictures.js";
import { framingText, nothingSeen, tilesText, turnWords } from "../report/words.js";
import type { RunDirectory } from "../runs/run-directory.js";
import type { Check } from "./audit.js";
import { checklist, examine } from "./examine.js";
import { failedSamples } from "./failed-samples.js";
import type { AttackPlan } from "./plan.js";
import type { AttackContext, AttackRecord } from "./run-attack.js";
import { accuracyCurve, curveCsv } from "./smallest.js";
import { type AttackSummary, coarseRemarks, gradientRemarks, stages, summarize } from "./summary.js";
import { missed, type Threshold } from "./thresholds.js";
import { measureTransfer } from "./transfer.js";
import { transferText } from "./transfer-text.js";

/** How a finished run is audited, printed and judged. */
export interface Finish {
  readonly audit: "run" | "skipped" | "as it is";
  /** Samples that the audit attacks again. */
  readonly auditSamples?: number;
  readonly assets: Assets;
  readonly print: "text" | "json" | "problems only" | "nothing";
  readonly allowAudit: boolean;
  readonly allowFailed: boolean;
  readonly thresholds: readonly Threshold[];
  /** Told what is being done. */
  readonly say: (text: string) => void;
}

/** What makes a run count as failed: 1 where its audit fails, 2 where it misses a bound, 3 where some of its samples failed. */
export type ExitCode = 0 | 1 | 2 | 3;

/** What follows the last sample: summary.json, the table in the terminal, audit and report. */
export async function finishRun(context: AttackContext, run: RunDirectory<AttackRecord>, finish: Finish): Promise<ExitCode> {
  const { plan } = context;
  const { print, assets, say } = finish;
  const transfers = await measureTransfer(context, run, say);
  const summary = { ...summarize(plan, run.records), ...(transfers.length > 0 && { transfer: transfers }) };
  run.write("summary.json", `${JSON.stringify(summary, undefined, 2)}\n`);
  if (summary.smallest) run.write("curve.csv", curveCsv(accuracyCurve(run.records)));
  if (print === "text") process.stdout.write(`${summaryText(plan, summary)}${transferText(plan, transfers)}`);
  const audited = join(run.path, "audit.json");
  const before =
    finish.audit === "as it is" && existsSync(audited) ? (JSON.parse(readFileSync(audited, "utf8")) as Check[]) : undefined;
  const checks =
    finish.audit === "run"
      ? await examine(context, run, {
          onProgress: (note) => say(`audit: ${note}\n`),
          ...(finish.auditSamples && { samples: finish.auditSamples }),
        })
      : before;
  if (checks) run.write("audit.json", `${JSON.stringify(checks, undefined, 2)}\n`);
  else rmSync(audited, { force: true });
  const { writeReport } = await import("../report/write-report.js");
  await writeReport(context, run, { checks, transfers }, assets);
  const report = join(run.path, "report.html");
  const failed = checks?.filter((c) => c.verdict === "failed") ?? [];
  const misses = missed(finish.thresholds, summary, plan.spec.task);
  const lost = finish.allowFailed ? undefined : failedSamples([{ summary }]);
  const code = failed.length > 0 && !finish.allowAudit ? 1 : misses.length > 0 ? 2 : lost === undefined ? 0 : 3;
  if (print === "text")
    process.stdout.write(
      checks ? `\n${checklist(checks)}\n${report}\n` : `not audited: nothing says whether this can be believed\n${report}\n`,
    );
  if (print === "problems only") process.stderr.write(checklist(failed));
  if (print === "json")
    process.stdout.write(
      `${JSON.stringify({ run: run.path, report, exitCode: code, missed: misses, summary, audit: checks ?? null }, undefined, 2)}\n`,
    );
  for (const sentence of misses) process.stderr.write(`faultline: ${sentence}\n`);
  if (lost !== undefined) process.stderr.write(`faultline: ${lost}\n`);
  if (code === 1)
    process.stderr.write(`faultline: the audit failed (${failed.map((c) => c.name).join("; ")}); --allow-audit lets it pass.\n`);
  return code;
}

/** Median, what never broke, and the accuracy at radii of the literature. */
function smallestText({ attack, spec }: AttackPlan, { smallest, perturbation }: AttackSummary): string[] {
  if (!smallest) return [];
  const { norm, right, unbroken, median, accuracy } = smallest;
  const within = attack.budget.epsilon === undefined ? "" : ` within ${radius(attack.budget.epsilon, norm)}`;
  const middle = median === null ? "none: fewer than half broke" : radius(median, norm);
  return [
    `smallest perturbation (${norm}): median ${middle}; ${unbroken} of ${right} that were right never broke${within}`,
    `${tasks[spec.task].extent === "image" ? "accuracy" : "images that hold"} at ${accuracy.map(({ epsilon, share }) => `${radius(epsilon, norm)}: ${(100 * share).toFixed(1)} %`).join(", ")}; every radius is in curve.csv`,
    `rounding to 8 bits changes sizes (the largest saved one is ${radius(perturbation[norm], norm)}): what is broken by less than a level may hold as a file`,
  ];
}

/** Levels say something of single pixels only; the other norms measure the whole image. */
const radius = (r: number, norm: NormName) =>
  norm === "l_inf" ? `${Number((r * 255).toFixed(3))}/255` : String(Number(r.toFixed(4)));

/** What is counted stays a whole number. */
const decimal = (v: number) => String(Number(v.toFixed(4)));

/** The summary as a table: a row for each metric, a column for each stage. */
export function summaryText(plan: AttackPlan, summary: AttackSummary): string {
  const { formats } = tasks[plan.spec.task];
  const number = (v: number | null | undefined, metric?: string) =>
    v?.toFixed(4) ?? (metric !== undefined && mayBeInfinite(formatOf(formats, metric)) ? "∞" : "-");
  const names = { truth: "to the truth", target: "to the attacker's target", prediction: "to the clean prediction" } as Record<
    string,
    string
  >;
  // What is counted in the prediction alone is the same whatever that is compared with.
  const isAmount = (metric: string) => formatOf(formats, metric).better === "neither";
  const compared = Object.entries(summary.metrics).flatMap(([reference, byStage]) => {
    const metrics = Object.keys(byStage.clean).filter((metric) => !/ class \d+$/.test(metric) && !isAmount(metric));
    // Of a wish to see nothing there is nothing to be measured.
    if (!metrics.some((metric) => stages.some((s) => byStage[s][metric] !== null || mayBeInfinite(formatOf(formats, metric)))))
      return [];
    return metrics.map((metric) => [`${metric} ${names[reference]}`, ...stages.map((s) => number(byStage[s][metric], metric))]);
  });
  const prediction = summary.metrics.prediction;
  const amounts = Object.keys(prediction?.clean ?? {})
    .filter(isAmount)
    .map((metric) => [metric, ...stages.map((s) => number(prediction![s][metric], metric))]);
  const rows = [...compared, ...amounts];
  const untouched = Object.entries(summary.untouched ?? {}).map(([metric, v]) => `${metric} ${number(v, metric)}`);
  const counted = (n: number) => `${n} sample${n === 1 ? "" : "s"}`;
  const { norm, epsilon, steps } = plan.attack.budget;
  const length = (r: number) => radius(r, norm);
  // Where nothing is kept within a norm or searched by it (a patch, SimBA), it is only what the result is measured in.
  const within = epsilon !== undefined ? ` in ${norm}, epsilon ${length(epsilon)}` : summary.smallest ? ` in ${norm}` : "";
  const lines = [
    columns(
      ["", "clean", "adversarial", "saved as 8-bit"],
      [...rows, ["mean loss", ...stages.map((s) => number(summary.loss[s]))]],
    ),
    ...(untouched.length > 0 ? [`degraded, as they are: ${untouched.join(", ")} to the truth`] : []),
    `${counted(summary.samples)}, ${plan.attack.name}${within}${steps === undefined ? "" : `, ${steps} step${steps === 1 ? "" : "s"}`}; largest saved perturbation ${length(summary.perturbation[norm])}${within === "" ? ` in ${norm}` : ""}`,
    ...smallestText(plan, summary),
    ...Object.entries(summary.found ?? {}).map(
      ([name, { median, most }]) => `${name}: median ${decimal(median)}, at most ${decimal(most)}`,
    ),
    ...(summary.hidden === undefined
      ? []
      : [
          `the ${plan.attack.definition.fit?.what ?? "attack"} hides ${(100 * summary.hidden).toFixed(1)} % of the pixels; all numbers, clean ones too, are of the pixels around it`,
        ]),
    ...memberLines(plan, summary),
    ...(summary.after ?? []).map((turn) => turnWords(plan, turn)).map(({ when, left }) => `${when}: ${left}`),
    ...(plan.fit.mismatch === "tile" && summary.tiles ? [`predicted in tiles: ${tilesText(plan.fit.tiles, summary.tiles)}`] : []),
    ...coarseRemarks(summary),
    ...gradientRemarks(summary.gradient, summary.samples),
    ...nothingSeen(plan, summary),
    ...(summary.framing ? [framingText(plan, summary.framing)] : []),
    ...(summary.converted
      ? [`pictures that were converted as they were read: ${conversionText(summary.converted, "rounded to 8")}`]
      : []),
    ...(summary.metrics.truth || plan.goal.kind === "targeted"
      ? []
      : ["no ground truth: the attack drove away from the model's own clean prediction"]),
    ...(summary.errors.length > 0
      ? [`${counted(summary.errors.length)} failed:`, ...summary.errors.slice(0, 10).map((e) => `  ${e.sample}: ${e.error}`)]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** Where the attack is several: the headline of each of them, and of the worst. */
function memberLines({ goal }: AttackPlan, { members, worst, headline, metrics }: AttackSummary): string[] {
  if (!members) return [];
  const reference = goal.kind === "targeted" ? "target" : metrics.truth ? "truth" : "prediction";
  const text = (values: Readonly<Record<string, number | null>> | undefined) => values?.[headline.name]?.toFixed(4) ?? "-";
  return [
    `${headline.name} of each alone: ${Object.entries(members)
      .map(([name, { metrics }]) => `${name} ${text(metrics[reference])}`)
      .join("; ")}`,
    ...(worst ? [`${headline.name} of whichever is worst for it, image by image: ${text(worst[reference])}`] : []),
  ];
}
