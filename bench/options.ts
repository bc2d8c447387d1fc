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
  readonly passes: number;
  readonly runs: number;
  readonly clock: keyof typeof clocks;
  /** Given with --python, or the first on the path that has torch. Absent: there is none, or `--torch off`. */
  readonly python: string | undefined;
  readonly rewrites: "ours" | "none";
}

/**
 * What the benches that stand beside PyTorch take: `[networks, by part of their name] --passes --runs --clock --torch --python --rewrites`.
 *
 * @param fallback networks that are meant when none is named; default all.
 */
export function readOptions(fallback: readonly string[] = [""], defaults = { passes: "5", runs: "3" }): BenchOptions {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      passes: { type: "string", default: defaults.passes },
      runs: { type: "string", default: defaults.runs },
      clock: { type: "string", default: "wall" },
      torch: { type: "string", default: "auto" },
      python: { type: "string" },
      rewrites: { type: "string", default: "ours" },
    },
  });
  const { clock, torch, rewrites } = values;
  if (clock !== "wall" && clock !== "processor") throw new Error("--clock is wall or processor.");
  if (torch !== "auto" && torch !== "off") throw new Error("--torch is auto or off.");
  if (rewrites !== "ours" && rewrites !== "none") throw new Error("--rewrites is ours or none.");
  const wanted = positionals.length > 0 ? positionals : fallback;
  const named = (part: string) => benchNetworks.filter((n) => n.name.toLowerCase().includes(part.toLowerCase()));
  const unknown = wanted.find((part) => named(part).length === 0);
  if (unknown) throw new Error(`No network is called ${unknown}; there are ${benchNetworks.map((n) => n.name).join(", ")}.`);
  const chosen = new Set(wanted.flatMap(named));
  return {
    networks: benchNetworks.filter((n) => chosen.has(n)),
    passes: Number(values.passes),
    runs: Number(values.runs),
    clock,
    python: torch === "auto" ? pythonOf(values.python) : undefined,
    rewrites,
  };
}

function pythonOf(given: string | undefined): string | undefined {
  const found = findPython(given === undefined ? ["python3", "/usr/bin/python3"] : [given]);
  if (given !== undefined && found === undefined) throw new Error(`--python: ${given} does not import torch and onnx.`);
  return found;
}
