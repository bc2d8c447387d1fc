import { Command, InvalidArgumentError } from "commander";
import { pluginOption } from "../attack-options.js";
import { parseInteger } from "../model-options.js";

export interface ReportCommandFlags {
  readonly out?: string;
  readonly pictures: number;
  readonly plugin?: string[];
  readonly json?: true;
  readonly quiet?: true;
}

/** `faultline report RUN...` */
export function reportCommand(): Command {
  const command = new Command("report")
    .description(
      "Many runs as one report: leaderboard, curves, classes, images, audits, commands; tables and model cards beside it.",
    )
    .argument("<run...>", "run directories, or folders that hold some: attacks, sweeps, suites, criticality, spectra")
    .option("--out <dir>", "where report.html, table.csv, table.md, table.tex and the cards are written (default: runs/report)")
    .option("--pictures <n>", "images of each run in the page", parseCount, 4);
  command.addOption(pluginOption("where a module of your own lies that runs were made with and that has been moved; repeatable"));
  return command
    .option("--json", "print the cards as JSON on standard output, and nothing else there; without --out nothing is written")
    .option("--quiet", "print errors alone")
    .addHelpText(
      "after",
      `
Runs of other tasks, metrics, data or limits get tables of their own.

Examples: faultline report runs
          faultline report runs/plain runs/robust --out comparison
          faultline report runs/net-dense-v1-1a2b3c4d runs/net-criticality runs/net-spectrum`,
    )
    .action(async (paths: string[], flags: ReportCommandFlags) => (await import("../actions/report.js")).report(paths, flags));
}

function parseCount(text: string): number {
  const count = parseInteger(text);
  if (count < 0) throw new InvalidArgumentError("write a number from 0 on.");
  return count;
}
