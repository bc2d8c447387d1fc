import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "../runs/error.js";
import { RunDirectory, readRecords } from "../runs/run-directory.js";
import { finishCriticality } from "./finish.js";
import { criticalityPlanSchema, identityOf } from "./plan.js";
import { type RunFacts, resultOf } from "./result.js";
import { type CriticalityRecord, plannedRecords } from "./run-criticality.js";

/**
 * Joins the shards of a criticality run into the run that one machine would have made.
 *
 * @throws RunError when a shard is unfinished, was run with other settings, or is missing.
 */
export async function mergeCriticality(paths: readonly string[], out: string): Promise<void> {
  const shards = paths.map((path) => {
    if (!existsSync(join(path, "layers.json")))
      throw new RunError(`${path} is no finished shard of a criticality run; finish it first.`);
    const json = (name: string): unknown => JSON.parse(readFileSync(join(path, name), "utf8"));
    return {
      path,
      plan: criticalityPlanSchema.parse(json("run.json")),
      facts: json("layers.json") as RunFacts,
      records: readRecords<CriticalityRecord>(join(path, "records.jsonl"), "ignore"),
    };
  });
  const whole = shards.map(({ plan: { shard: _, ...rest } }) => rest);
  const differs = whole.findIndex((plan) => JSON.stringify(identityOf(plan)) !== JSON.stringify(identityOf(whole[0]!)));
  if (differs > 0)
    throw new RunError(`${paths[differs]} was run with other settings than ${paths[0]}; only shards of one run can be joined.`);
  const { facts } = shards[0]!;
  const records = shards.flatMap((s) => s.records).sort((a, b) => a.index - b.index);
  const found = new Set(records.map((r) => r.index));
  const missing = plannedRecords(whole[0]!, facts.chunks, facts.targets.length).filter((i) => !found.has(i));
  if (missing.length > 0)
    throw new RunError(
      `${missing.length} ${missing.length === 1 ? "reset is" : "resets are"} missing; name all shards of the run.`,
    );
  if (found.size < records.length)
    throw new RunError("Some resets are in more than one of the named directories; name each shard once.");
  const run = RunDirectory.open<CriticalityRecord>(out, whole[0], { folders: [] });
  try {
    if (run.records.length > 0) throw new RunError(`${out} holds records already; name a new directory.`);
    run.append(records);
    await finishCriticality(run, resultOf(whole[0]!, facts, records), "files and text");
  } finally {
    run.close();
  }
}
