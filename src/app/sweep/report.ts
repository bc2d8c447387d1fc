import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Comparison, compareRuns } from "../compare/runs.js";
import { tableText } from "../compare/tables.js";
import { verdict, writeComparison } from "../compare/write.js";

/** What a sweep comes to: the report's path, what is printed, runs whose audit fails. */
export interface SweepReport {
  readonly report: string;
  readonly text: string;
  readonly comparison: Comparison;
  readonly auditFailed: readonly string[];
}

/** Longer tables are for a file. */
const printedRows = 40;

/** Writes the tables and the report of the finished runs of a directory of cells; undefined where there is none. */
export async function reportOf(root: string, names: readonly string[]): Promise<SweepReport | undefined> {
  const folders = names.map((name) => join(root, name)).filter((folder) => existsSync(join(folder, "cell.json")));
  if (folders.length === 0) return undefined;
  const comparison = await compareRuns(folders);
  const report = writeComparison(comparison, root);
  const table = folders.length > printedRows ? `${folders.length} runs: ${join(root, "table.md")}\n` : tableText(comparison);
  return {
    report,
    text: `${table}${verdict(comparison)}\n${report}\n`,
    comparison,
    auditFailed: comparison.rows.filter((row) => row.audit === "failed").map((row) => row.path),
  };
}
