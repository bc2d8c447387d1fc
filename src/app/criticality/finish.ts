import { columns } from "../cli/table.js";
import type { RunDirectory } from "../runs/run-directory.js";
import type { CriticalityResult } from "./result.js";
import type { CriticalityRecord } from "./run-criticality.js";
import { deviationOf, inWords, percent, stageNames } from "./words.js";

/** What follows the last reset: criticality.json, criticality.svg, report.html, and the table by stage in the terminal. */
export async function finishCriticality(
  run: RunDirectory<CriticalityRecord>,
  result: CriticalityResult,
  output: "files" | "files and text",
): Promise<void> {
  // What draws is loaded when there is something to draw.
  const [{ profileFigure }, { reportPage }] = await Promise.all([import("./figure.js"), import("./report.js")]);
  run.write("criticality.json", `${JSON.stringify(result, undefined, 2)}\n`);
  run.write("criticality.svg", profileFigure(result));
  run.write("report.html", reportPage(result));
  if (output === "files") return;
  const names = stageNames(result.layers);
  const rows = result.stages.map((s) => [names.get(s.name)!, String(s.layers), percent(s.mean), deviationOf(s)]);
  const { average } = result;
  if (rows.length > 1) rows.push(["all", String(average.layers), percent(average.mean), percent(average.deviation)]);
  process.stdout.write(
    `${[columns(["stage", "layers", "mean", "deviation"], rows), "", ...inWords(result), ...result.notes, `${run.path}/report.html`].join("\n")}\n`,
  );
}
