import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { caseNames, dataFolder, groups } from "../tests/onnx-backend/cases.js";
import { examine, type Finding, type Report, type Verdict } from "../tests/onnx-backend/examine.js";

/**
 * Writes the section of docs/models.md on the ONNX project's backend tests: `npx tsx tools/onnx-backend-table.ts [VERSION]`.
 */
const page = new URL("../docs/models.md", import.meta.url);
const marks = ["<!-- onnx-backend-table: begin -->", "<!-- onnx-backend-table: end -->"] as const;

const verdicts: readonly Verdict[] = ["right", "refused", "runtime cannot", "not comparable", "wrong"];

export function backendTable(reports: readonly Report[], version: string): string {
  const counted = (findings: readonly (Finding | undefined)[]) =>
    verdicts.map((verdict) => findings.filter((f) => f?.verdict === verdict).length || "");
  const rows = groups.flatMap((group) => {
    const own = reports.filter(({ name }) => name.startsWith(`${group}/`));
    const forward = counted(own.map((r) => r.forward));
    const gradient = counted(own.map((r) => r.gradient));
    return [`| ${group} | forward | ${forward.join(" | ")} |`, `| | gradient | ${gradient.join(" | ")} |`];
  });
  const head = `| onnx ${version} | | ${verdicts.join(" | ")} |\n|---|---|${verdicts.map(() => "---:|").join("")}`;
  return `${head}\n${rows.join("\n")}\n\nWhy cases are refused:\n\n${reasons(reports)}`;
}

/** Sentences that differ only in names and numbers count as one; the first stands for them. */
function reasons(reports: readonly Report[]): string {
  const alike = new Map<string, { because: string; count: number }>();
  for (const { forward, gradient } of reports) {
    for (const finding of [forward, gradient]) {
      if (finding?.verdict !== "refused") continue;
      const key = finding.because.replaceAll(/"[^"]*"|\d+/g, "#").slice(0, 100);
      const known = alike.get(key) ?? { because: finding.because, count: 0 };
      known.count++;
      alike.set(key, known);
    }
  }
  return [...alike.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ because, count }) => `- ${count}: ${because.length > 220 ? `${because.slice(0, 220)} ...` : because}`)
    .join("\n");
}

async function main(): Promise<void> {
  const folder = dataFolder();
  if (folder === undefined) throw new Error("The data is not here; docs/models.md says how to get it.");
  const reports: Report[] = [];
  for (const group of groups) for (const name of caseNames(folder, group)) reports.push(await examine(folder, name));
  for (const { name, forward, gradient } of reports)
    for (const [kind, finding] of Object.entries({ forward, gradient }))
      if (finding?.verdict === "wrong") console.log(`${name}, ${kind}: ${finding.because}`);
  const text = readFileSync(page, "utf8");
  const [before, after] = [text.split(marks[0])[0], text.split(marks[1])[1]];
  if (before === undefined || after === undefined) throw new Error("docs/models.md has lost its marks.");
  writeFileSync(page, `${before}${marks[0]}\n\n${backendTable(reports, process.argv[2] ?? "1.19.1")}\n\n${marks[1]}${after}`);
}

if (fileURLToPath(import.meta.url) === process.argv[1]) await main();
