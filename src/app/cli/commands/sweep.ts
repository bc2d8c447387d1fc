import { Command } from "commander";
import { pluginOption } from "../attack-options.js";
import { allowFailed, parsePositiveInteger, parseShard } from "../model-options.js";
import { type BoundFlags, withBounds } from "../report-options.js";

export interface SweepFlags extends BoundFlags {
  readonly workers?: number;
  readonly queue?: string | true;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly cache?: readonly string[];
  readonly limit?: number;
  readonly out?: string;
  readonly plugin?: string[];
  readonly list?: true;
  readonly skipImpossible?: true;
  readonly allowAudit?: true;
  readonly allowFailed?: true;
  readonly printPlan?: true;
  readonly json?: true;
  readonly quiet?: true;
}

/** `faultline sweep plan.yaml` */
export function sweepCommand(): Command {
  const command = new Command("sweep")
    .description(
      "Run a grid of models, data sets, attacks, budgets and corruptions over processes of this machine, or many machines; one report.",
    )
    .argument("[plan]", "YAML or JSON file that says what is run (faultline spec --schema sweep has all of its fields)")
    .option("--print-plan", "print a plan to begin with")
    .option("--list", "print the cells of the plan and how far they are, and run nothing")
    .option(
      "--workers <n>",
      "processes (default: cores over the plan's threads, less where memory is short)",
      parsePositiveInteger,
    )
    .option(
      "--queue [url]",
      "have the cells done by workers (faultline worker) of a queue on a Redis server, redis://HOST:PORT (default: FAULTLINE_QUEUE); a password comes from FAULTLINE_REDIS_PASSWORD",
    )
    .option(
      "--shard <i/n>",
      "do the i-th of n parts of the cells; run the command again without it, or faultline merge, for the report",
      parseShard,
    )
    .option(
      "--cache <dir>",
      "directory of another sweep: cells that are finished there are copied; repeatable",
      (dir: string, before: readonly string[] = []) => [...before, dir],
    )
    .option("--limit <n>", "only n samples of each data set, whatever the plan says", parsePositiveInteger)
    .option("--skip-impossible", "run the rest where some cells cannot be run (an attack that does not fit a task)")
    .addOption(pluginOption("a module of your own with attacks, for plans that name them; repeatable"))
    .option("--out <dir>", "where everything is written (default: runs/PLAN)")
    .option("--allow-audit", "exit code 0 even where an audit fails")
    .addOption(allowFailed())
    .option("--json", "print what came of it as JSON on standard output, and nothing else there")
    .option("--quiet", "print errors alone");
  return withBounds(command)
    .addHelpText(
      "after",
      `
What is finished is not run again: the same command goes on after Ctrl-C, and a changed plan runs what changed.
Exit codes: 0 done; 1 a cell or an audit failed; 2 a cell misses a bound of --fail-under or --fail-over; 3 samples failed; 130 stopped by Ctrl-C.

Examples: faultline sweep --print-plan > plan.yaml
          faultline sweep plan.yaml --workers 4
          faultline sweep plan.yaml --queue redis://10.0.0.5:6379
          faultline sweep plan.yaml --shard $((SLURM_ARRAY_TASK_ID + 1))/$SLURM_ARRAY_TASK_COUNT --out shared/sweep`,
    )
    .action(async (plan: string | undefined, flags: SweepFlags) => {
      process.exitCode = await (await import("../actions/sweep.js")).sweep(plan, flags);
    });
}
