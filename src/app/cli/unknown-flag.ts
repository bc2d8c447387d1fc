import type { Command } from "commander";
import { nearest } from "../../engine/onnx/nearest.js";

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

/** Has a command name the flag that was meant in place of commander's guess. */
export function withFlagSuggestions(command: Command): void {
  command.showSuggestionAfterError(false).configureOutput({
    outputError: (text, write) => {
      const [, typed] = /unknown option '([^'=]+)/.exec(text) ?? [];
      const flags = command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
      const meant = typed === undefined ? undefined : flagMeant(typed, flags);
      write(meant === undefined ? text : `${text.trimEnd()} (did you mean ${meant}?)\n`);
    },
  });
  for (const inner of command.commands) withFlagSuggestions(inner);
}
