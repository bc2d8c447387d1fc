import type { Command } from "commander";
import { nearest } from "../../engine/onnx/nearest.js";
import { addLateFlags } from "./late-flags.js";

// Which flag was meant by one that does not exist.

/** What torchattacks, Foolbox, AutoAttack, ART and training scripts call what has a flag here; only what no rule below finds. */
const elsewhere: Readonly<Record<string, string>> = {
  eps: "epsilon",
  targeted: "target",
  radius: "epsilon",
  alpha: "step-size",
  lr: "step-size",
  "learning-rate": "step-size",
  "eps-iter": "step-size",
  "eps-step": "step-size",
  "abs-stepsize": "step-size",
  iter: "steps",
  iters: "steps",
  iterations: "steps",
  "n-iter": "steps",
  "nb-iter": "steps",
  "num-iter": "steps",
  "max-iter": "steps",
  "random-init": "random-start",
  "rand-init": "random-start",
  bs: "batch",
  device: "provider",
  gpu: "provider",
  images: "data",
  dataset: "data",
  "num-samples": "limit",
  samples: "limit",
  mask: "region",
  normalize: "range",
  "output-dir": "out",
  "out-dir": "out",
  "save-dir": "out",
  output: "out",
};

/**
 * The flag of a command that was most likely meant: by the name that other libraries have for it, by a word of it (`--n-steps`, `--batch-size`), by the
 * beginning of its name, or by its letters. `_` and capitals are taken for hyphens.
 *
 * @example flagMeant("--num_steps", ["--steps", "--step-size"]) // "--steps"
 */
export function flagMeant(typed: string, known: readonly string[]): string | undefined {
  const name = typed
    .replace(/^-+/, "")
    .replace(/([a-z])([A-Z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
  const names = known.map((flag) => flag.replace(/^--/, ""));
  const has = (wanted: string | undefined) => (wanted !== undefined && names.includes(wanted) ? wanted : undefined);
  const word = name.split("-").find((part) => part.length > 3 && names.includes(part));
  const found = has(name) ?? has(elsewhere[name]) ?? word ?? nearest(name, names)[0];
  return found && `--${found}`;
}

/** A flag that a command does not have, as commander tells it. */
export interface UnknownFlag {
  readonly command: Command;
  /** "error: unknown option '--eps'\n" */
  readonly text: string;
}

/** Has a command and those within it leave unknown flags to `take`, in place of commander's guess. */
export function withUnknownFlags(command: Command, take: (unknown: UnknownFlag) => void): void {
  command.showSuggestionAfterError(false).configureOutput({
    outputError: (text, write) => (typedIn(text) === undefined ? write(text) : take({ command, text })),
  });
  for (const inner of command.commands) withUnknownFlags(inner, take);
}

const typedIn = (text: string): string | undefined => /unknown option '([^'=]+)/.exec(text)?.[1];

/** The sentence, with the flag that was meant, or the commands that have it. */
export async function unknownFlagText({ command, text }: UnknownFlag, all: readonly Command[]): Promise<string> {
  const typed = typedIn(text)!;
  const meant = flagMeant(typed, flagsOf(command));
  if (meant !== undefined) return `${text.trimEnd()} (did you mean ${meant}?)\n`;
  if (command.name() !== "attack") await addLateFlags(all, ["attack"]);
  const owners = all.flatMap((c) => (c.commands.length > 0 ? c.commands : [c])).filter((c) => flagsOf(c).includes(typed));
  const names = owners.map((c) => [c.parent?.name() === "faultline" ? "" : c.parent?.name(), c.name()].filter(Boolean).join(" "));
  if (names.length === 0) return `${text.trimEnd()} (faultline ${command.name()} --help lists those that there are)\n`;
  return `${text.trimEnd()} (${names.length === 1 ? `a flag of faultline ${names[0]}` : `a flag of ${names.slice(0, 4).join(", ")}`})\n`;
}

const flagsOf = (command: Command): string[] => command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
