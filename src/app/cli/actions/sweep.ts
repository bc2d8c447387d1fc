import { freemem } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { physicalCores } from "../../../engine/runtime/node.js";
import { failedSamples } from "../../attack/failed-samples.js";
import type { Places } from "../../attack/places.js";
import { boundedBy, missedAmong, thresholdsAmong } from "../../attack/thresholds.js";
import type { PlaceTable } from "../../cells/bench.js";
import { type Cell, needsOf } from "../../cells/cell.js";
import { isDone, readFailure } from "../../cells/done.js";
import { Local } from "../../cells/local.js";
import type { Runner } from "../../cells/runner.js";
import { loadPlugins, type Plugins } from "../../plugins/plugins.js";
import { type QueueAddress, queueAddress } from "../../queue/address.js";
import { cellsOf } from "../../sweep/cells.js";
import { fetchedPlaces } from "../../sweep/fetched.js";
import { examplePlan, readSweepPlan, type SweepPlan } from "../../sweep/plan-file.js";
import type { SweepFlags } from "../commands/sweep.js";
import { UsageError } from "../errors.js";
import { boundsOf } from "../report-options.js";
import { version } from "../version.js";
import { runTold } from "./cells.js";

/** `faultline sweep plan.yaml`; gives the exit code. */
export async function sweep(path: string | undefined, flags: SweepFlags): Promise<number> {
  if (flags.printPlan) {
    process.stdout.write(examplePlan);
    return 0;
  }
  if (!path) throw new UsageError("name a plan; faultline sweep --print-plan prints one to begin with.");
  const plan = readSweepPlan(path);
  const plugins = await loadPlugins(flags.plugin);
  const say = flags.quiet ? () => {} : (text: string) => process.stderr.write(text);
  const queue = queueOf(flags);
  const at = await fetchedPlaces(plan, dirname(path), say);
  const { cells, problems, notes } = await cellsOf(plan, at, plugins, { limit: flags.limit });
  for (const note of notes) say(`note: ${note}\n`);
  if (problems.length > 0) sayProblems(path, problems, cells, flags, say);
  const root = flags.out ?? join("runs", basename(path, extname(path)));
  if (flags.list) {
    for (const cell of cells) process.stdout.write(`${cell.name}  ${stateOf(cell, root)}\n`);
    return 0;
  }
  const thresholds = thresholdsAmong(
    boundsOf(flags),
    cells.map((cell) => boundedBy(cell.plan)),
  );
  const end = await runTold(
    cells,
    {
      root,
      plugins,
      shard: flags.shard,
      caches: flags.cache ?? [],
      runner: queue ? await queueRunner(queue, root) : localRunner(plan, at, plugins, flags),
    },
    flags,
  );
  const done = cells.length - end.left.length;
  if (end.stopped) {
    process.stderr.write(`${done} of ${cells.length} cells are done; repeat the command to go on\n`);
    return 130;
  }
  const failed = end.failed.map(({ cell, sentence }) => ({ cell: cell.name, sentence }));
  const others = end.left.length - failed.length;
  if (others > 0) {
    // The other parts are under way, or to come.
    say(
      `this part is done: ${done} of ${cells.length} cells are; when all are, the same command without --shard (or faultline merge) writes the report\n`,
    );
    if (flags.json) process.stdout.write(`${JSON.stringify({ sweep: root, cells: cells.length, done, failed }, undefined, 2)}\n`);
    return failed.length > 0 ? 1 : 0;
  }
  // What draws is loaded when there is something to draw.
  const { benchmarkText, writeBenchmark } = await import("../../benchmark/write.js");
  const written =
    done > 0 ? await writeBenchmark([root], root, { version, ...(flags.plugin && { plugins: flags.plugin }) }) : undefined;
  const auditFailed = (written?.benchmark.rows ?? []).filter((row) => row.audit === "failed").map((row) => row.name);
  const lost = flags.allowFailed ? undefined : failedSamples(written?.benchmark.rows ?? []);
  const misses = missedAmong(thresholds, written?.benchmark.rows ?? []);
  const exitCode =
    failed.length > 0 || (auditFailed.length > 0 && !flags.allowAudit) ? 1 : misses.length > 0 ? 2 : lost === undefined ? 0 : 3;
  if (flags.json) {
    const { before, copied } = end;
    const outcome = {
      sweep: root,
      report: written?.report,
      exitCode,
      cells: cells.length,
      done,
      before,
      copied,
      failed,
      auditFailed,
      missed: misses,
    };
    process.stdout.write(`${JSON.stringify(outcome, undefined, 2)}\n`);
  } else if (!flags.quiet && written) process.stdout.write(`${benchmarkText(written.benchmark)}${written.report}\n`);
  if (failed.length > 0)
    process.stderr.write(
      `faultline: ${failed.length} of ${cells.length} cells failed (${failed[0]!.cell}: ${failed[0]!.sentence}) The same command tries them again.\n`,
    );
  if (auditFailed.length > 0 && !flags.allowAudit)
    process.stderr.write(
      `faultline: the audit failed of ${auditFailed.length} of ${done} runs (${auditFailed[0]}); --allow-audit lets it pass.\n`,
    );
  for (const sentence of misses) process.stderr.write(`faultline: ${sentence}\n`);
  if (lost !== undefined) process.stderr.write(`faultline: ${lost}\n`);
  return exitCode;
}

/** @throws UsageError with all problems at once, unless the rest is to be run. */
function sayProblems(
  path: string,
  problems: readonly string[],
  cells: readonly Cell[],
  flags: SweepFlags,
  say: (text: string) => void,
): void {
  const list = problems.map((p) => `  ${p}`).join("\n");
  const what = problems.length === 1 ? "one thing" : `${problems.length} things`;
  if (!flags.skipImpossible)
    throw new UsageError(
      `${what} in ${path} cannot be run, and nothing was:\n${list}${cells.length > 0 ? `\n--skip-impossible runs the other ${cells.length} cells.` : ""}`,
    );
  if (cells.length === 0) throw new UsageError(`nothing in ${path} can be run:\n${list}`);
  say(`left out, since it cannot be run:\n${list}\n`);
}

/**
 * Where the queue is, if there is one.
 *
 * @throws UsageError for flags that are of processes of this machine.
 */
function queueOf({ queue, workers, shard }: SweepFlags): QueueAddress | undefined {
  if (queue === undefined) return undefined;
  if (workers !== undefined)
    throw new UsageError("--workers is of this machine's processes; with --queue, say it to faultline worker.");
  if (shard !== undefined) throw new UsageError("--shard: the workers of a queue share all cells; leave it out, or --queue.");
  return queueAddress(queue === true ? undefined : queue, process.env);
}

/** The workers of a queue run the cells. */
async function queueRunner(address: QueueAddress, folder: string) {
  const { QueueRunner } = await import("../../queue/coordinator.js");
  return (say: (text: string) => void): Runner => new QueueRunner(address, { folder, say: (sentence) => say(`${sentence}\n`) });
}

/** Processes of this machine run the cells. */
const localRunner =
  (plan: SweepPlan, at: Places, plugins: Plugins, flags: SweepFlags) =>
  (say: (text: string) => void): Runner => {
    const workers = flags.workers ?? usualWorkers(plan);
    const cores = physicalCores();
    if (workers * plan.threads > cores)
      say(
        `note: ${workers} workers of ${plan.threads} threads are more than the ${cores} cores of this machine; they will wait for each other\n`,
      );
    const places = (cell: Cell): PlaceTable => Object.fromEntries(needsOf(cell).map(({ named }) => [named, at(named)]));
    return new Local({ workers, plugins: plugins.files.map((f) => f.path), places, say });
  };

/** Bytes that a worker may take before it has read anything large. */
const perWorker = 2 ** 30;

/** A core for each thread, and a gigabyte for each worker. */
function usualWorkers({ threads, provider }: SweepPlan): number {
  if (provider !== "cpu") return 1;
  return Math.max(1, Math.min(Math.floor(physicalCores() / threads), Math.floor(freemem() / perWorker)));
}

function stateOf(cell: Cell, root: string): string {
  const folder = join(root, cell.name);
  if (isDone(folder, cell)) return "done";
  const failure = readFailure(folder);
  return failure ? `failed: ${failure.sentence}` : "to do";
}
