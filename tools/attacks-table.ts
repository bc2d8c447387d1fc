import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { flagTexts } from "../src/app/cli/attack-flags.js";
import { attacks } from "../src/methods/attacks/catalogue/index.js";

/**
 * Writes the tables of attacks and of their parameters into docs/attacks.md, from the attacks' definitions: `npx tsx tools/attacks-table.ts`. A test
 * checks that the committed page is current.
 */
export const attacksPage = new URL("../docs/attacks.md", import.meta.url);

const [begin, end] = ["<!-- attacks: written by tools/attacks-table.ts -->\n", "<!-- end -->\n"];

/** The page with its tables as they are now. */
export function withTables(page: string): string {
  const [from, to] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
  return `${page.slice(0, from)}${tables()}${page.slice(to)}`;
}

const code = (text: string): string => `\`${text}\``;

function tables(): string {
  const rows = Object.values(attacks).map(({ name, title, summary, source }) => [code(name), title, summary, source]);
  const flags = flagTexts(attacks).map((flag) => [code(flag.usage), flag.description, flag.default ?? "", flag.attacks ?? "all"]);
  return `${table(["`--attack`", "", "what it does", "source"], rows)}
${table(["flag", "what it is", "default", "attacks"], flags)}`;
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `${head.map(() => "|---").join("")}|\n`, ...rows.map(row)].join("");

if (fileURLToPath(import.meta.url) === process.argv[1]) writeFileSync(attacksPage, withTables(readFileSync(attacksPage, "utf8")));
