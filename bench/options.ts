import { parseArgs } from "node:util";
import { type BenchNetwork, benchNetworks } from "./networks/index.js";
import { findPython } from "./torch/peer.js";

/** Time that passes, or work of all threads of the process, which other load on the machine disturbs less; in milliseconds. */
export const clocks = {
  wall: () => performance.now(),
  processor: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
} as const;

export interface BenchOptions {
  readonly networks: readonly BenchNetwork[];
  /** What is named on the command line, where that is not networks. */
  readonly names: readonly string[];
  readonly passes: number;
  readonly runs: number;
  readonly clock: keyof typeof clocks;
  /** Given with --python, or the first on the path that has torch. Absent: there is none, or `--torch off`. */
  readonly python: string | undefined;
  readonly rewrites: "ours" | "none";
  /** Whether torch.compile stands beside it too. */
  readonly compile: boolean;
}

/** What a bench takes besides `--passes --runs --clock --torch --python`. Anything else on its command line is refused. */
export interface Takes {
  /** Networks, by part of their name: those that are meant when none is named. */
  readonly networks?: readonly string[];
  /** Other things by part of their name, for the bench to look up; none means all. */
  readonly names?: "any";
  readonly runs?: number;
  readonly flags?: readonly ("rewrites" | "compile")[];
}

const ownFlags = { rewrites: { type: "string" }, compile: { type: "boolean" } } as const;

export function readOptions({ networks, names, runs = 3, flags = [] }: Takes): BenchOptions {
  const own = Object.fromEntries(flags.map((flag) => [flag, ownFlags[flag]])) as typeof ownFlags;
  const { values, positionals } = orRefuse(() =>
    parseArgs({
      allowPositionals: networks !== undefined || names !== undefined,
      options: {
        passes: { type: "string", default: "5" },
        runs: { type: "string", default: String(runs) },
        clock: { type: "string", default: "wall" },
        torch: { type: "string", default: "auto" },
        python: { type: "string" },
        ...own,
      },
    }),
  );
  const torch = oneOf("--torch", values.torch, ["auto", "off"]);
  return {
    networks: networks ? named(benchNetworks, positionals.length > 0 ? positionals : networks) : [],
    names: networks ? [] : positionals,
    passes: wholeNumber("--passes", values.passes),
    runs: wholeNumber("--runs", values.runs),
    clock: oneOf("--clock", values.clock, ["wall", "processor"]),
    python: torch === "auto" ? pythonOf(values.python) : undefined,
    rewrites: oneOf("--rewrites", values.rewrites ?? "ours", ["ours", "none"]),
    compile: values.compile ?? false,
  };
}

/** Those that bear one of the parts in their names; each part must be somebody's. */
export function named<T extends { readonly name: string }>(all: readonly T[], parts: readonly string[]): readonly T[] {
  const bearing = (part: string) => all.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()));
  const unknown = parts.find((part) => bearing(part).length === 0);
  if (unknown !== undefined) refuse(`Nothing here is called ${unknown}; there are ${all.map(({ name }) => name).join(", ")}.`);
  const chosen = new Set(parts.flatMap(bearing));
  return all.filter((one) => chosen.has(one));
}

/** Arguments by position, with what stands for those that are not given; more than these, and flags, are refused. */
export function readArguments<const D extends readonly string[]>(
  usage: string,
  defaults: D,
): { readonly [I in keyof D]: string } {
  const { positionals } = orRefuse(() => parseArgs({ allowPositionals: true, options: {} }));
  if (positionals.length > defaults.length) refuse(`${positionals[defaults.length]} is one argument too many. Usage: ${usage}`);
  return defaults.map((value, i) => positionals[i] ?? value) as { readonly [I in keyof D]: string };
}

export function oneOf<T extends string>(what: string, given: string, choices: readonly T[]): T {
  return choices.find((c) => c === given) ?? refuse(`${what} is ${choices.join(" or ")}, not ${given}.`);
}

export function wholeNumber(what: string, given: string): number {
  return /^[1-9]\d*$/.test(given) ? Number(given) : refuse(`${what} is a whole number from 1 on, not ${given}.`);
}

function pythonOf(given: string | undefined): string | undefined {
  const found = findPython(given === undefined ? ["python3", "/usr/bin/python3"] : [given]);
  if (given !== undefined && found === undefined) refuse(`--python: ${given} does not import torch and onnx.`);
  return found;
}

/** Ends the bench with one sentence. */
export function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

function orRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return refuse((error as Error).message);
  }
}
