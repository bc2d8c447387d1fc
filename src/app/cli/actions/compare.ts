import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareRuns } from "../../compare/runs.js";
import { tableText } from "../../compare/tables.js";
import { verdict, writeComparison } from "../../compare/write.js";
import type { CompareFlags } from "../commands/compare.js";
import { UsageError } from "../errors.js";
import { compare as compareCriticality } from "./criticality.js";

/** `faultline compare RUN...` */
export async function compare(paths: readonly string[], flags: CompareFlags): Promise<void> {
  if (paths.every(isCriticality)) return compareCriticality(paths, flags);
  const odd = paths.find(isCriticality);
  if (odd) throw new UsageError(`${odd} is a run of criticality, and the others are not; they have no number in common.`);
  const comparison = await compareRuns(paths);
  if (flags.json) process.stdout.write(`${JSON.stringify(comparison, undefined, 2)}\n`);
  else process.stdout.write(`${tableText(comparison)}${verdict(comparison)}\n`);
  if (!flags.out) return;
  const report = writeComparison(comparison, flags.out);
  if (!flags.json) process.stdout.write(`${report}\n`);
}

const isCriticality = (path: string): boolean => {
  const file = join(path, "run.json");
  if (!existsSync(file)) return false;
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly command?: string }).command === "criticality";
};
