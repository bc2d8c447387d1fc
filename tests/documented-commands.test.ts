import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { addLateFlags } from "../src/app/cli/late-flags.js";
import { commands } from "../src/app/cli/main.js";

// Every command in README, docs, the experiments' pages and the commands' own help is read as the program would read it: flags and their values, and files of the repository.

const root = fileURLToPath(new URL("..", import.meta.url));
const inFolder = (folder: string) =>
  readdirSync(join(root, folder)).flatMap((name) => (name.endsWith(".md") ? [`${folder}/${name}`] : []));
const inside = (folder: string) =>
  readdirSync(join(root, folder)).flatMap((name) => {
    const page = `${folder}/${name}/README.md`;
    return existsSync(join(root, page)) ? [page] : [];
  });
const pages = ["README.md", "CONTRIBUTING.md"].concat(
  ...["docs", "docs/library"].map(inFolder),
  ...["experiments", "examples"].map(inside),
);

interface Documented {
  readonly page: string;
  /** As it stands, in one line. */
  readonly line: string;
  /** What follows `faultline`. */
  readonly args: readonly string[];
  /** A line of its own is whole; within a sentence only the words that matter stand. */
  readonly kind: "line" | "in a sentence";
}

/** Words of a shell's line up to a comment, pipe or redirection; `FLAG=VALUE npx` is passed over. */
function wordsOf(line: string): string[] {
  // What a scheduler's variables stand for is a number.
  const words = [...line.replaceAll(/\$(\(\([^)]*\)\)|\{\w+\}|\w+)/g, "1").matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, a, b, c]) => a ?? b ?? c!,
  );
  const end = words.findIndex((word) => /^(#|\||>|>>|2>|&&|;|\|\|)/.test(word));
  return (end < 0 ? words : words.slice(0, end)).filter((word) => word !== "...");
}

const commandIn = (page: string, line: string, kind: Documented["kind"]): Documented[] => {
  const words = wordsOf(line.replace(/^\s*\$ /, ""));
  const at = words.indexOf("faultline");
  const before = words.slice(0, Math.max(at, 0)).filter((word) => word !== "npx" && !word.includes("="));
  return at < 0 || before.length > 0 || words.length === at + 1
    ? []
    : [{ page, line: line.trim(), args: words.slice(at + 1), kind }];
};

function commandsOf(page: string, text: string): Documented[] {
  const joined = text.replace(/\\\n\s*/g, " ");
  const lines = joined
    .split("\n")
    .flatMap((line) => commandIn(page, line.replace(/^\s*(Examples?: |- run: |run: )?/, ""), "line"));
  const spans = [...joined.matchAll(/`([^`\n]+)`/g)].flatMap(([, span]) => commandIn(page, span!, "in a sentence"));
  return [...lines, ...spans];
}

/** What `faultline COMMAND --help` prints. */
async function helpOf(command: Command): Promise<string> {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

/** The sentence with which the program refuses the arguments; undefined where it takes them. Nothing is run. */
async function refusal({ args, kind }: Documented): Promise<string | undefined> {
  const all = commands();
  // Modules of the reader's own are not there.
  const typed = args.filter((arg, i) => arg !== "--plugin" && args[i - 1] !== "--plugin");
  const command = all.find((c) => c.name() === typed[0]);
  if (!command) return /^-/.test(typed[0]!) ? undefined : `there is no command ${typed[0]}`;
  await addLateFlags(all, typed);
  let sentence = "";
  const quiet = (c: Command) => {
    c.exitOverride().configureOutput({
      writeOut: () => {},
      writeErr: () => {},
      outputError: (text) => {
        sentence = text.trim();
      },
    });
    if (c.commands.length === 0 || c.registeredArguments.length > 0) c.action(() => {});
    for (const inner of c.commands) quiet(inner);
  };
  quiet(command);
  try {
    await command.parseAsync(typed.slice(1), { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const lacks = [
      "commander.missingMandatoryOptionValue",
      "commander.missingArgument",
      "commander.optionMissingArgument",
    ].includes(error.code);
    const ofPlugin = args.includes("--plugin") && /unknown option|there is no attack/.test(sentence);
    return (kind === "in a sentence" && lacks) || ofPlugin ? undefined : sentence;
  }
}

/** Files of the repository that a command reads. */
function missingFiles({ page, args }: Documented): string[] {
  const written = ["-o", "--output", "--out"];
  const read = args.filter((_, i) => !written.includes(args[i - 1]!));
  return read
    .filter((arg) => /^(\.\.\/)*(examples|experiments|fixtures|docs|node_modules|tools|bench)\//.test(arg))
    .filter((arg) => ![root, join(root, dirname(page))].some((folder) => existsSync(join(folder, arg))));
}

describe("every command that is written down", () => {
  const found = pages.flatMap((page) => commandsOf(page, readFileSync(join(root, page), "utf8")));

  it("is found", () => {
    expect(found.length).toBeGreaterThan(120);
    for (const page of ["README.md", "docs/attacks.md", "docs/ci.md", "docs/training.md"])
      expect(found.map((c) => c.page)).toContain(page);
  });

  it.each(pages.filter((page) => found.some((c) => c.page === page)))("of %s is one that the program takes", async (page) => {
    for (const command of found.filter((c) => c.page === page)) {
      expect(await refusal(command), `${page}: ${command.line}`).toBeUndefined();
      expect(missingFiles(command), `${page}: ${command.line}`).toEqual([]);
    }
  });

  it.each(commands().map((c) => c.name()))("of faultline %s --help is one that the program takes", async (name) => {
    const command = commands().find((c) => c.name() === name)!;
    const texts = await Promise.all([command, ...command.commands].map(helpOf));
    const examples = texts.flatMap((text) => commandsOf(`faultline ${name} --help`, text));
    for (const example of examples) expect(await refusal(example), example.line).toBeUndefined();
  });
});

it("every script that is written down exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");
    for (const [, path] of text.matchAll(/(?:npx tsx|python3?|node) ([\w./-]+\.(?:ts|mts|mjs|py))/g)) {
      const there = [root, join(root, dirname(page))].some((folder) => existsSync(join(folder, path!)));
      if (/^(\.\.\/)*(examples|experiments|fixtures|tools|bench|tests)\//.test(path!))
        expect(there, `${page}: ${path}`).toBe(true);
    }
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g))
      expect(scripts[script!], `${page}: npm run ${script}`).toBeDefined();
  }
});
