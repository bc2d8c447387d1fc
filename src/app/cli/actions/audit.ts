import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OptimizationLevel, Provider } from "../../../engine/runtime/engine.js";
import { checklist, examine } from "../../attack/examine.js";
import { readPlan, reopen } from "../../attack/reopen.js";
import { type AttackRecord, plannedBatches } from "../../attack/run-attack.js";
import { RunDirectory, RunError } from "../../runs/run-directory.js";
import { withEngine } from "./engine.js";

/** `faultline audit RUN` */
export async function audit(path: string, flags: { samples: number }): Promise<void> {
  const open = await readPlan(path);
  const { plan } = open;
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
        const context = await reopen(open, engine);
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
}
