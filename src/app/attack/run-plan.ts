import { UsageError } from "../cli/errors.js";
import { RunDirectory } from "../runs/run-directory.js";
import { type ExitCode, type Finish, finishRun } from "./finish.js";
import { learnedIn } from "./fit-stage.js";
import { identityOf, type PlanFile, planFile } from "./plan.js";
import { demandReadable } from "./readable.js";
import { type AttackContext, type AttackHooks, type AttackRecord, plannedBatches, runAttack } from "./run-attack.js";

export interface RunHooks extends AttackHooks {
  /** Called when the directory is open: samples that are done, of how many. */
  readonly onOpen?: (done: number, total: number) => void;
  /** Called when no sample is left and the run is summed up: it is not stopped any more. */
  readonly onAttacked?: () => void;
}

/** How a run ended: finished, or stopped by the signal after so many of its samples. */
export type RunEnd = { readonly code: ExitCode } | { readonly stopped: number; readonly total: number };

/**
 * Makes the run of a plan in a directory, or what is left of it: attacks, sums up, audits, reports.
 *
 * @throws SpecError where the model's outputs cannot be what the specification says; RunError as `RunDirectory.open`; UsageError where not one sample could be attacked, or the disk was full. Where it has come to nothing, nothing
 * of it stays.
 */
export async function runPlan(context: AttackContext, folder: string, finish: Finish, hooks: RunHooks): Promise<RunEnd> {
  const { plan } = context;
  await demandReadable(context, plannedBatches(plan).flat());
  const run = RunDirectory.open<AttackRecord, PlanFile>(folder, planFile(plan), { identity: identityOf });
  try {
    const total = plannedBatches(plan).reduce((n, b) => n + b.length, 0);
    hooks.onOpen?.(run.records.length, total);
    await runAttack(context, run, hooks);
    if (run.records.length < total) return { stopped: run.records.length, total };
    hooks.onAttacked?.();
    run.sort();
    const [first] = run.records;
    if (first && run.records.every((r) => r.error))
      throw new UsageError(
        run.records.length === 1
          ? `the only sample could not be attacked: ${first.error}`
          : `not one of the ${run.records.length} samples could be attacked; the first: ${first.error}`,
      );
    const code = await finishRun({ ...context, fitted: await learnedIn(plan, run.path, context.at) }, run, finish);
    const again = run.records.filter((r) => r.retry).length;
    if (again > 0)
      throw new UsageError(`${again} samples found the disk full; make room and run the same command again to do them.`);
    return { code };
  } catch (error) {
    run.abandon();
    throw error;
  } finally {
    run.close();
  }
}
