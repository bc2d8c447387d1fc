import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OptimizationLevel, Provider } from "../../../engine/runtime/engine.js";
import { finishRun } from "../../attack/finish.js";
import { readPlan, reopen } from "../../attack/reopen.js";
import { type AttackRecord, plannedBatches } from "../../attack/run-attack.js";
import { boundedBy } from "../../attack/thresholds.js";
import { RunError } from "../../runs/error.js";
import { RunDirectory } from "../../runs/run-directory.js";
import type { AuditFlags } from "../commands/audit.js";
import { withEngine } from "./engine.js";
import { finishOf } from "./finish.js";

/** `faultline audit RUN` */
export async function audit(path: string, flags: AuditFlags): Promise<void> {
  const open = await readPlan(path, flags.plugin);
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
        const context = await reopen(open, engine, path);
        const finish = finishOf(flags, boundedBy(plan));
        process.exitCode = await finishRun(context, run, { ...finish, auditSamples: flags.samples });
      },
    );
  } finally {
    run.close();
  }
}
