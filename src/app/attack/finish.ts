import { join } from "node:path";
import { columns } from "../cli/table.js";
import { framingText, tilesText } from "../report/words.js";
import type { RunDirectory } from "../runs/run-directory.js";
import { checklist, examine } from "./examine.js";
import type { AttackPlan } from "./plan.js";
import type { AttackContext, AttackRecord } from "./run-attack.js";
import { type AttackSummary, gradientRemarks, stages, summarize } from "./summary.js";

/** What follows the last sample: summary.json, the table in the terminal, audit and report. */
export async function finishRun(context: AttackContext, run: RunDirectory<AttackRecord>): Promise<void> {
  const summary = summarize(context.plan, run.records);
  run.write("summary.json", `${JSON.stringify(summary, undefined, 2)}\n`);
  process.stdout.write(summaryText(context.plan, summary));
  const checks = await examine(context, run, { onProgress: (note) => process.stderr.write(`audit: ${note}\n`) });
  process.stdout.write(`\n${checklist(checks)}\n${join(run.path, "report.html")}\n`);
}

/** The summary as a table: a row for each metric, a column for each stage. */
export function summaryText(plan: AttackPlan, summary: AttackSummary): string {
  const number = (v: number | null | undefined) => (v === null || v === undefined ? "-" : v.toFixed(4));
  const names = { truth: "to the truth", target: "to the attacker's target", prediction: "to the clean prediction" } as Record<
    string,
    string
  >;
  const rows = Object.entries(summary.metrics).flatMap(([reference, byStage]) =>
    Object.keys(byStage.clean)
      .filter((metric) => !metric.startsWith("IoU class"))
      .map((metric) => [`${metric} ${names[reference]}`, ...stages.map((s) => number(byStage[s][metric]))]),
  );
  const counted = (n: number) => `${n} sample${n === 1 ? "" : "s"}`;
  // Levels say something of single pixels only; the other norms measure the whole image.
  const { norm, epsilon, steps } = plan.attack.budget;
  const radius = (r: number) => (norm === "l_inf" ? `${Number((r * 255).toFixed(3))}/255` : String(Number(r.toFixed(4))));
  const lines = [
    columns(
      ["", "clean", "adversarial", "saved as 8-bit"],
      [...rows, ["mean loss", ...stages.map((s) => number(summary.loss[s]))]],
    ),
    `${counted(summary.samples)}, ${plan.attack.name} in ${norm}${epsilon === undefined ? "" : `, epsilon ${radius(epsilon)}`}${steps === undefined ? "" : `, ${steps} step${steps === 1 ? "" : "s"}`}; largest saved perturbation ${radius(summary.perturbation[norm])}`,
    ...Object.entries(summary.found ?? {}).map(
      ([name, { median, most }]) => `${name}: median ${number(median)}, at most ${number(most)}`,
    ),
    ...(plan.fit.mismatch === "tile" && summary.tiles ? [`predicted in tiles: ${tilesText(plan.fit.tiles, summary.tiles)}`] : []),
    ...gradientRemarks(summary.gradient, summary.samples),
    ...(summary.framing ? [framingText(plan, summary.framing)] : []),
    ...(summary.metrics.truth || plan.goal.kind === "targeted"
      ? []
      : ["no ground truth: the attack drove away from the model's own clean prediction"]),
    ...(summary.errors.length > 0
      ? [`${counted(summary.errors.length)} failed:`, ...summary.errors.slice(0, 10).map((e) => `  ${e.sample}: ${e.error}`)]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}
