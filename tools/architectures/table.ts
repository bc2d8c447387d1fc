/**
 * Writes the table of docs/models.md from results.jsonl: `npx tsx tools/architectures/table.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { judge, type Line, type Outcome, readResults } from "./results.js";

const page = new URL("../../docs/models.md", import.meta.url);
const marks = ["<!-- architectures: begin -->", "<!-- architectures: end -->"] as const;

const signs: Readonly<Record<Outcome, string>> = {
  right: "✓",
  undecided: "~",
  refused: "refused",
  wrong: "**wrong**",
  "not exported": "—",
  "file differs": "file",
};

/** Columns: exporter and form as the results name them, and how the table heads them. */
const columns = [
  ["torchscript", "float32", "TorchScript"],
  ["dynamo, newest opset", "float32", "dynamo"],
  ["torchscript", "dynamic batch", "dynamic batch"],
  ["torchscript", "float16", "float16"],
  ["torchscript", "float16 inside", "float16 inside"],
  ["torchscript", "optimized basic", "basic"],
  ["torchscript", "optimized extended", "extended"],
  ["torchscript", "dynamic int8", "dynamic int8"],
  ["torchscript", "QDQ int8", "QDQ int8"],
  ["torchscript", "QOperator uint8", "QOperator"],
] as const;

export function architecturesTable(lines: readonly Line[]): string {
  const families = new Map<string, Line[]>();
  for (const line of lines) families.set(line.family, [...(families.get(line.family) ?? []), line]);
  const tasks = [...new Set(lines.map((line) => line.task))];
  const sections = tasks.map((task) => {
    const rows = [...families].filter(([, [first]]) => first!.task === task).map(([name, own]) => row(name, own));
    const head = `| ${task} | from | ${columns.map(([, , title]) => title).join(" | ")} |\n|---|---|${columns.map(() => ":-:|").join("")}`;
    return `${head}\n${rows.join("\n")}`;
  });
  return `${counts(lines)}\n\n${sections.join("\n\n")}\n\n${notes(lines)}`;
}

function row(name: string, lines: readonly Line[]): string {
  const cells = columns.map(([exporter, form]) => {
    const line = lines.find((l) => l.exporter === exporter && l.form === form);
    return line ? signs[judge(line).outcome] : "";
  });
  return `| ${[name, lines[0]!.source, ...cells].join(" | ")} |`;
}

function counts(lines: readonly Line[]): string {
  const outcomes = lines.map((line) => judge(line).outcome);
  const said = (Object.keys(signs) as Outcome[]).flatMap((outcome) => {
    const n = outcomes.filter((o) => o === outcome).length;
    return n > 0 ? [`${n} ${outcome}`] : [];
  });
  return `${new Set(lines.map((l) => l.family)).size} families, ${lines.length} files: ${said.join(", ")}.`;
}

/** Why, for each cell that is not right; cells of one sentence together. */
function notes(lines: readonly Line[]): string {
  const alike = new Map<string, string[]>();
  for (const line of lines) {
    const { outcome, because } = judge(line);
    if (outcome === "right") continue;
    const short = because.length > 260 ? `${because.slice(0, 260)} ...` : because;
    const key = `${outcome}: ${short.replaceAll("|", "\\|").replaceAll("<", "&lt;")}`;
    alike.set(key, [...(alike.get(key) ?? []), `${line.family} (${line.exporter}, ${line.form})`]);
  }
  const written = [...alike].map(([key, cases]) => `- ${cases.join("; ")}: ${key}`);
  return written.length === 0 ? "" : `What is not right, and why:\n\n${written.join("\n")}`;
}

const text = readFileSync(page, "utf8");
const [before, after] = [text.split(marks[0])[0], text.split(marks[1])[1]];
if (before === undefined || after === undefined) throw new Error("docs/models.md has lost its marks.");
writeFileSync(page, `${before}${marks[0]}\n\n${architecturesTable(readResults())}\n\n${marks[1]}${after}`);
