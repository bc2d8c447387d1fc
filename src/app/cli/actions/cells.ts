import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "../../attack/audit.js";
import { checklist } from "../../attack/examine.js";
import { planOf } from "../../attack/plan.js";
import { plannedBatches } from "../../attack/run-attack.js";
import { asPlanFile, type Cell } from "../../cells/cell.js";
import { CellsProgress } from "../../cells/cells-progress.js";
import { Local } from "../../cells/local.js";
import { type CellsEnd, type CellsWork, runCells } from "../../cells/run-cells.js";
import { Here, type Runner } from "../../cells/runner.js";
import type { Plugins } from "../../plugins/plugins.js";
import { interruptible } from "../../runs/progress.js";

export interface CellsFlags {
  readonly quiet?: true | undefined;
  /** Processes; absent: this one. */
  readonly workers?: number | undefined;
}

/** What `runTold` needs beside the cells. */
export interface ToldWork extends Pick<CellsWork, "root" | "shard" | "caches"> {
  readonly plugins: Plugins;
  /** Absent: this process, or as many as the flags say. */
  readonly runner?: (say: (text: string) => void) => Runner;
}

/** Runs cells, and tells on standard error how far they are, what fails, and which audits do. */
export async function runTold(
  cells: readonly Cell[],
  work: ToldWork,
  flags: CellsFlags,
): Promise<CellsEnd & { readonly stopped: boolean }> {
  const { root, plugins } = work;
  const say = flags.quiet ? () => {} : (text: string) => shown.say(text);
  const shown = new CellsProgress({
    cells,
    cost: costOf(plugins),
    say: (text) => say(text),
    bars: !flags.quiet && process.stderr.isTTY === true,
  });
  const runner =
    work.runner?.(say) ??
    (flags.workers === undefined
      ? new Here(plugins)
      : new Local({ workers: flags.workers, plugins: plugins.files.map((f) => f.path), say }));
  const stop = interruptible();
  try {
    const end = await runCells(cells, {
      ...work,
      runner,
      signal: stop.signal,
      tell: {
        ...shown.tell,
        done: (cell) => {
          shown.tell.done?.(cell);
          const failed = failedChecks(join(root, cell.name));
          if (failed.length > 0) shown.say(`${cell.name}:\n${checklist(failed)}`);
        },
      },
    });
    return { ...end, stopped: stop.signal.aborted && end.left.length > 0 };
  } finally {
    shown.stop();
    stop.done();
  }
}

/** What the audit of a run finds wrong; nothing where there was none. */
export function failedChecks(folder: string): Check[] {
  const file = join(folder, "audit.json");
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, "utf8")) as Check[]).filter((c) => c.verdict === "failed");
}

/** Samples times passes of the model, roughly: enough to say how long the rest takes. */
function costOf(plugins: Plugins): (cell: Cell) => number {
  const known = new Map<string, number>();
  return (cell) => {
    let cost = known.get(cell.key);
    if (cost === undefined) {
      const plan = planOf(asPlanFile(cell.plan), plugins);
      const { steps = 1, restarts = 1, epsilon } = plan.attack.budget;
      const samples = plannedBatches(plan).reduce((sum, batch) => sum + batch.length, 0);
      // A step is a forward and a backward pass; the clean and the saved image are looked at too.
      cost = samples * (2 + (epsilon === 0 ? 0 : 3 * steps * restarts));
      known.set(cell.key, cost);
    }
    return cost;
  };
}
