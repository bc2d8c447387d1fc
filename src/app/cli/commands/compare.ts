import { Command } from "commander";

export interface CompareFlags {
  readonly out?: string;
  readonly json?: true;
}

/** `faultline compare RUN...` */
export function compareCommand(): Command {
  return new Command("compare")
    .description("Attack runs (or criticality runs) side by side: what tells them apart, and what came of each.")
    .argument("<run...>", "run directories; a directory with several attacks stands for all of them")
    .option("--out <dir>", "write table.md, table.csv, curves.svg and report.html there")
    .option("--json", "print the numbers alone, as JSON")
    .addHelpText(
      "after",
      `
Examples: faultline compare runs/net-pgd-1a2b3c4d runs/net-cospgd-5e6f7a8b
          faultline compare runs/plain runs/robust --out runs/comparison`,
    )
    .action(async (paths: string[], flags: CompareFlags) => (await import("../actions/compare.js")).compare(paths, flags));
}
