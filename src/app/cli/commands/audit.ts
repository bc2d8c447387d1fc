import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import type { OptimizationLevel, Provider } from "../../../engine/runtime/engine.js";
import { checklist, examine } from "../../attack/examine.js";
import { readPlan, reopen } from "../../attack/reopen.js";
import { type AttackRecord, plannedBatches } from "../../attack/run-attack.js";
import { RunDirectory, RunError } from "../../runs/run-directory.js";
import { parsePositiveInteger, withEngine } from "../model-options.js";

/** `faultline audit RUN` */
export function auditCommand(): Command {
  return new Command("audit")
    .description("Check whether the numbers of an attack run can be believed; writes audit.json and report.html anew.")
    .argument("<run>", "run directory of a finished attack")
    .option("--samples <n>", "how many samples are attacked again", parsePositiveInteger, 4)
    .addHelpText("after", "\nThe exit code is 1 when a check failed.")
    .action(async (path: string, flags: { samples: number }) => {
      const plan = readPlan(path);
      const run = RunDirectory.open<AttackRecord>(path, JSON.parse(readFileSync(join(path, "run.json"), "utf8")));
      try {
        const total = plannedBatches(plan).flat().length;
        if (run.records.length < total)
          throw new RunError(
            `${path} holds ${run.records.length} of ${total} samples; repeat the command that made it to finish it.`,
          );
        const { provider, threads, optimization } = plan.runtime;
        await withEngine(
          { provider: provider as Provider, threads, optimization: optimization as OptimizationLevel },
          async (engine) => {
            const context = await reopen(plan, engine);
            const checks = await examine(context, run, {
              samples: flags.samples,
              onProgress: (note) => process.stderr.write(`${note}\n`),
            });
            process.stdout.write(checklist(checks));
            if (checks.some((c) => c.verdict === "failed")) process.exitCode = 1;
          },
        );
      } finally {
        run.close();
      }
    });
}
