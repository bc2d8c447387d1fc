import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { OptimizationLevel, Provider } from "../../../engine/runtime/engine.js";
import { completeSpec, declaredClasses } from "../../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { finishRun } from "../../attack/finish.js";
import { asNamed, type Places } from "../../attack/places.js";
import { planFile, type TransferPlan } from "../../attack/plan.js";
import { readPlan, reopen } from "../../attack/reopen.js";
import { type AttackRecord, plannedBatches } from "../../attack/run-attack.js";
import { type Counting, demandSameClasses } from "../../attack/same-classes.js";
import { boundedBy } from "../../attack/thresholds.js";
import { hashModel } from "../../hash-model.js";
import { withHeadRead } from "../../read-head.js";
import { readPredicting } from "../../read-predicting.js";
import { RunError } from "../../runs/error.js";
import { RunDirectory } from "../../runs/run-directory.js";
import type { TransferFlags } from "../commands/transfer.js";
import { UsageError } from "../errors.js";
import type { SpecFlags } from "../spec-options.js";
import { withEngine } from "./engine.js";
import { finishOf } from "./finish.js";
import { resolveSpec, sayAssumed } from "./spec.js";

/** `faultline transfer RUN other.onnx` */
export async function transfer(path: string, models: string[], flags: TransferFlags): Promise<void> {
  const { plan, plugins } = await readPlan(path, flags.plugin);
  const named = await transferModels(
    models,
    flags,
    { path: plan.model.path, spec: plan.spec, classes: undefined },
    flags.quiet === undefined,
  );
  const extended = { ...plan, transfer: joined(plan.transfer ?? [], named) };
  const { provider, threads, optimization } = plan.runtime;
  await withEngine(
    { provider: provider as Provider, threads, optimization: optimization as OptimizationLevel },
    async (engine) => {
      const total = plannedBatches(plan).flat().length;
      const run = RunDirectory.open<AttackRecord>(path, JSON.parse(readFileSync(join(path, "run.json"), "utf8")));
      try {
        if (run.records.length < total)
          throw new RunError(
            `${path} holds ${run.records.length} of ${total} samples; repeat the command that made it to finish it.`,
          );
        const context = { ...(await reopen({ plan: extended, plugins }, engine, path)), plan: extended };
        const finish = { ...finishOf(flags, boundedBy(plan)), audit: "as it is" as const };
        process.exitCode = await finishRun(context, run, finish);
        // Only now that everything could be measured.
        run.write("run.json", `${JSON.stringify(planFile(extended), undefined, 2)}\n`);
      } finally {
        run.close();
      }
    },
  );
}

/**
 * Models that images are measured on.
 *
 * @param flags what they take and yield, beside the files' sidecars. @param tell whether what is assumed is said.
 * @param attacked the model whose images they are.
 * @throws UsageError where a model is for another task than the run, or its file says that it has other classes.
 */
export async function transferModels(
  paths: readonly string[],
  flags: SpecFlags,
  attacked: Counting & { readonly spec: ModelSpec },
  tell: boolean,
  at: Places = asNamed,
): Promise<TransferPlan[]> {
  const { task } = attacked.spec;
  const found: TransferPlan[] = [];
  for (const path of paths) {
    if (!existsSync(at(path))) throw new UsageError(`${path}: no such file; check the path.`);
    const { spec: said, assumed } = resolveSpec(at(path), flags, task);
    if (said.task !== task)
      throw new UsageError(`${path} is for ${said.task}, and the run attacks ${task}; name a model of the same task.`);
    if (tell) sayAssumed(assumed, path);
    const file = await readPredicting(at(path), said);
    const spec = await withHeadRead(file, completeSpec(file, said));
    demandSameClasses(attacked, { path, spec, classes: declaredClasses(file, spec) });
    found.push({
      path,
      sha256: await hashModel(at(path)),
      spec,
      ...(assumed.length > 0 && { assumed: assumed.map((a) => a.field) }),
    });
  }
  return found;
}

/** Every model once: a later one with the same content takes the place of an earlier. */
export const joined = (before: readonly TransferPlan[], named: readonly TransferPlan[]): TransferPlan[] => [
  ...before.filter(({ sha256 }) => !named.some((n) => n.sha256 === sha256)),
  ...named,
];
