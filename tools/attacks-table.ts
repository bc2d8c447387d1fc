import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fieldsOf } from "../src/app/attack/parameters.js";
import { flagTexts } from "../src/app/cli/attack-flags.js";
import { attacks } from "../src/methods/attacks/catalogue/index.js";
import { type AttackDefinition, attackOf, checkAttack } from "../src/methods/attacks/definition.js";
import { AttackError } from "../src/methods/attacks/error.js";
import { tasks } from "../src/vision/tasks/index.js";
import { peerResults } from "./peer-results.js";

/**
 * Writes the tables of attacks and of their parameters into docs/attacks.md, from the attacks' definitions and from what bench/peers has measured:
 * `npx tsx tools/attacks-table.ts`. A test checks that the committed page is current.
 */
export const attacksPage = new URL("../docs/attacks.md", import.meta.url);

const [begin, end] = ["<!-- attacks: written by tools/attacks-table.ts -->\n", "<!-- end -->\n"];

/** The page with its tables as they are now. */
export async function withTables(page: string): Promise<string> {
  const [from, to] = [page.indexOf(begin) + begin.length, page.indexOf(end)];
  return `${page.slice(0, from)}${await tables()}${page.slice(to)}`;
}

const code = (text: string): string => `\`${text}\``;

async function tables(): Promise<string> {
  const peers = peerResults();
  const rows = await Promise.all(
    Object.values<AttackDefinition>(attacks).map(async (definition) => {
      const { name, title, summary, source, follows } = definition;
      const facts = [normsOf(definition), await tasksOf(definition), follows === "nothing" ? "–" : follows];
      return [code(name), title, summary, ...facts, source, peers.get(name) ?? ""];
    }),
  );
  const flags = flagTexts(attacks).map((flag) => [code(flag.usage), flag.description, flag.default ?? "", flag.attacks ?? "all"]);
  const head = ["`--attack`", "", "what it does", "norms", "tasks", "follows", "source", "furthest from other packages"];
  return `${table(head, rows)}
${table(["flag", "what it is", "default", "attacks"], flags)}`;
}

/** Norms that it can be asked for. */
function normsOf(definition: AttackDefinition): string {
  const kind = fieldsOf(definition).find(({ name }) => name === "norm")?.kind;
  return kind?.kind === "choice" ? kind.of.join(", ") : "–";
}

/** Tasks that it does not refuse as it is, away from the truth or towards a target. */
async function tasksOf(definition: AttackDefinition): Promise<string> {
  const attack = attackOf(definition, {});
  const refuses = async (aim: Parameters<typeof checkAttack>[1]): Promise<boolean> => {
    try {
      await checkAttack(attack, aim);
      return false;
    } catch (error) {
      if (error instanceof AttackError) return true;
      throw error;
    }
  };
  const suited: string[] = [];
  for (const task of Object.values(tasks))
    if (!(await refuses({ task, goal: "untargeted" })) || !(await refuses({ task, goal: "targeted" }))) suited.push(task.name);
  return suited.length === Object.keys(tasks).length ? "all" : suited.join(", ");
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `${head.map(() => "|---").join("")}|\n`, ...rows.map(row)].join("");

if (fileURLToPath(import.meta.url) === process.argv[1])
  writeFileSync(attacksPage, await withTables(readFileSync(attacksPage, "utf8")));
