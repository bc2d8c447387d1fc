import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { naturalOrder } from "../../vision/data/natural-order.js";
import { readDone, readFailure } from "../cells/done.js";
import { transferFile } from "../evaluate/transfer-from.js";
import { RunError } from "../runs/error.js";

/** What was found in folders, by kind. */
export interface Found {
  readonly attacks: readonly FoundRun[];
  readonly criticality: readonly FoundRun[];
  readonly spectra: readonly FoundRun[];
  /** Suites that measured the images of other runs too. */
  readonly transfers: readonly FoundRun[];
  /** What is begun and not finished, or not begun though its sweep names it. */
  readonly unfinished: readonly FoundRun[];
  readonly failed: readonly FoundRun[];
}

export interface FoundRun {
  readonly path: string;
  /** Where the files of a sweep's cell were taken from, as it was done before. */
  readonly from?: string | undefined;
  /** Why a sweep's cell failed. */
  readonly because?: string | undefined;
}

type Walked = FoundRun & { readonly kind: keyof Found };

/** Folders of a run that hold pictures and never runs. */
const inner = new Set(["images", "report", "node_modules", ".git"]);

/**
 * The runs that paths stand for: a run stands for itself, a sweep for the runs that it names, any other folder for all runs in it, at any depth. The same
 * run is taken once, however often it is named.
 *
 * @throws RunError where a path is not there, or holds no run at all.
 */
export function findRuns(paths: readonly string[]): Found {
  const runs = new Map<string, Walked>();
  for (const path of paths) {
    if (!existsSync(path)) throw new RunError(`${path} is not there; name run directories, or folders that hold some.`);
    if (!statSync(path).isDirectory())
      throw new RunError(`${path} is a file; name the directory of a run, or a folder that holds some.`);
    const walked = [...walk(path)];
    if (walked.length === 0)
      throw new RunError(
        `${path} is no run directory and holds none: there is no run.json, criticality.json or spectrum.json in it or below.`,
      );
    for (const run of walked) {
      const real = existsSync(run.path) ? realpathSync(run.path) : run.path;
      if (!runs.has(real)) runs.set(real, run);
    }
  }
  const of = (wanted: keyof Found) => [...runs.values()].flatMap(({ kind, ...run }) => (kind === wanted ? [run] : []));
  return {
    attacks: of("attacks"),
    criticality: of("criticality"),
    spectra: of("spectra"),
    transfers: of("transfers"),
    unfinished: of("unfinished"),
    failed: of("failed"),
  };
}

function* walk(path: string): Generator<Walked> {
  const kind = kindOf(path);
  if (kind) yield { path, kind, from: readDone(path)?.from };
  else if (existsSync(join(path, "sweep.json"))) yield* walkSweep(path);
  else {
    const folders = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !inner.has(entry.name))
      .map((entry) => entry.name);
    for (const name of folders.sort(naturalOrder)) yield* walk(join(path, name));
  }
}

/** The cells of a sweep in its own order: what an earlier plan left beside them does not count. */
function* walkSweep(path: string): Generator<Walked> {
  const { runs } = readJson<{ readonly runs: readonly string[] }>(join(path, "sweep.json"));
  if (existsSync(transferFile(path))) yield { path, kind: "transfers" };
  for (const name of runs) {
    const run = join(path, name);
    const failure = readFailure(run);
    if (failure) yield { path: run, kind: "failed", because: failure.sentence };
    else yield { path: run, kind: (existsSync(run) && kindOf(run)) || "unfinished", from: readDone(run)?.from };
  }
}

/** What a directory holds by its files; undefined where it is none of a run. */
function kindOf(path: string): Exclude<keyof Found, "failed" | "transfers"> | undefined {
  const has = (name: string) => existsSync(join(path, name));
  if (has("spectrum.json")) return "spectra";
  if (has("criticality.json")) return "criticality";
  if (!has("run.json")) return undefined;
  const { command } = readJson<{ readonly command?: string }>(join(path, "run.json"));
  if (command === "attack") return has("summary.json") ? "attacks" : "unfinished";
  return command === "criticality" ? "unfinished" : undefined;
}

/** @throws RunError where a file is not JSON. */
export function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    throw new RunError(`${file} is not valid JSON; repeat the command that made it.`);
  }
}
