import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBenchmark } from "../../benchmark/benchmark.js";
import { benchmarkText, writeBenchmark } from "../../benchmark/write.js";
import type { ReportCommandFlags } from "../commands/report.js";
import { UsageError } from "../errors.js";
import { version } from "../version.js";

/** `faultline report RUN...` */
export async function report(paths: readonly string[], flags: ReportCommandFlags): Promise<void> {
  const { pictures, plugin, json, quiet } = flags;
  const options = { version, pictures, ...(plugin && { plugins: plugin }) };
  const folder = flags.out ?? (json ? undefined : join("runs", "report"));
  if (folder !== undefined && existsSync(join(folder, "run.json")))
    throw new UsageError(`${folder} is a run; name another directory with --out.`);
  const { benchmark, report: file } =
    folder === undefined
      ? { benchmark: await readBenchmark(paths, { ...options, pictures: 0 }), report: undefined }
      : await writeBenchmark(paths, folder, options);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ ...(file !== undefined && { report: file }), cards: benchmark.cards }, undefined, 2)}\n`,
    );
  else if (!quiet) process.stdout.write(`${benchmarkText(benchmark)}${file}\n`);
}
