import type { Command } from "commander";

/** Adds flags that follow from what only some commands need (the attacks' parameters, modules of the user's own). */
type AddFlags = (command: Command, args: readonly string[]) => Promise<void>;

const late = new WeakMap<Command, AddFlags>();

/** Has flags added when the command is the one that was typed: all other commands, help and version do not wait for what it takes. */
export function withLateFlags(command: Command, add: AddFlags): Command {
  late.set(command, add);
  return command;
}

/** @param args what was typed after `faultline`. */
export async function addLateFlags(commands: readonly Command[], args: readonly string[]): Promise<void> {
  const typed = args.find((arg) => !arg.startsWith("-") && arg !== "help");
  const command = commands.find((c) => c.name() === typed);
  if (command) await late.get(command)?.(command, args);
}

/** The values of a flag among arguments that commander has not read yet: `--plugin a.mjs --plugin=b.mjs`. */
export const valuesOf = (flag: string, args: readonly string[]): string[] =>
  args.flatMap((arg, i) => {
    if (arg.startsWith(`${flag}=`)) return [arg.slice(flag.length + 1)];
    return arg === flag && args[i + 1] !== undefined ? [args[i + 1]!] : [];
  });
