import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { summaryText } from "../../attack/finish.js";
import { type AttackPlan, identityOf, planFile } from "../../attack/plan.js";
import { readPlan } from "../../attack/reopen.js";
import { type AttackRecord, plannedBatches } from "../../attack/run-attack.js";
import { summarize } from "../../attack/summary.js";
import { holdsCells, joinCells } from "../../cells/join.js";
import { mergeCriticality } from "../../criticality/merge.js";
import { RunError } from "../../runs/error.js";
import { RunDirectory, readRecords } from "../../runs/run-directory.js";
import { version } from "../version.js";

/** `faultline merge SHARD... --out RUN` */
export async function merge(paths: string[], flags: { out: string }): Promise<void> {
  if (commandOf(paths[0]!) === "criticality") return mergeCriticality(paths, flags.out);
  if (paths.every(holdsCells)) return mergeCells(paths, flags.out);
  const shards = await Promise.all(
    paths.map(async (path) => ({
      path,
      plan: (await readPlan(path)).plan,
      records: existsSync(join(path, "records.jsonl"))
        ? readRecords<AttackRecord>(join(path, "records.jsonl"), "ignore").filter((r) => !r.retry)
        : [],
    })),
  );
  const whole = shards.map(({ plan: { shard: _, ...rest } }) => rest);
  const differs = whole.findIndex((plan) => identity(plan) !== identity(whole[0]!));
  if (differs > 0) {
    const [one, other] = [whole[0]!.runtime.threads, whole[differs]!.runtime.threads];
    throw new RunError(
      one === other
        ? `${paths[differs]} was run with other settings than ${paths[0]}; only shards of one run can be joined.`
        : `${paths[differs]} was computed with ${other} threads and ${paths[0]} with ${one}; the last digits of gradients depend on that, so say the same --threads to all shards.`,
    );
  }
  const records = shards.flatMap((s) => s.records).sort((a, b) => a.index - b.index);
  const planned = plannedBatches(whole[0]!).flat();
  const found = new Set(records.map((r) => r.index));
  const missing = planned.filter((i) => !found.has(i));
  if (missing.length > 0)
    throw new RunError(
      `${missing.length} samples are missing (the first is number ${missing[0]}); finish the shards, and name all of them.`,
    );
  if (found.size < records.length)
    throw new RunError("Some samples are in more than one of the named directories; name each shard once.");
  const run = RunDirectory.open<AttackRecord>(flags.out, planFile(whole[0]!));
  try {
    if (run.records.length > 0) throw new RunError(`${flags.out} holds records already; name a new directory.`);
    for (const { path } of shards) cpSync(join(path, "images"), join(flags.out, "images"), { recursive: true });
    run.append(records);
    const summary = summarize(whole[0]!, records);
    run.write("summary.json", `${JSON.stringify(summary, undefined, 2)}\n`);
    process.stdout.write(
      `${summaryText(whole[0]!, summary)}${flags.out}\nfaultline audit ${flags.out} writes its audit and report\n`,
    );
  } finally {
    run.close();
  }
}

/** Parts of a sweep: the directory that one machine would have made, with its report. */
async function mergeCells(paths: readonly string[], out: string): Promise<void> {
  joinCells(paths, out);
  const { benchmarkText, writeBenchmark } = await import("../../benchmark/write.js");
  const { benchmark, report } = await writeBenchmark([out], out, { version });
  process.stdout.write(`${benchmarkText(benchmark)}${report}\n`);
}

const identity = (plan: AttackPlan): string => JSON.stringify(identityOf(planFile(plan)));

/** Which command made a run directory. */
function commandOf(path: string): string | undefined {
  const file = join(path, "run.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { command?: string }).command : undefined;
}
