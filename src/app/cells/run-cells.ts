import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runFormat } from "../attack/plan.js";
import { RunError } from "../runs/error.js";
import { makeFolder, removeEmpty } from "../runs/folders.js";
import type { Cell } from "./cell.js";
import { clearFailure, isDone, readDone, writeDone, writeFailure } from "./done.js";
import type { Runner, RunnerWork } from "./runner.js";

export interface CellsWork {
  /** Directory of all. */
  readonly root: string;
  readonly runner: Runner;
  readonly signal: AbortSignal;
  /** The i-th of n parts of the cells is run; absent: all are. */
  readonly shard?: { readonly index: number; readonly count: number } | undefined;
  /** Directories of other sweeps: what is finished there is copied. */
  readonly caches?: readonly string[];
  readonly tell?: Partial<Omit<RunnerWork, "folder" | "signal">> & {
    /** Called before anything runs. */
    readonly begun?: (state: { readonly todo: readonly Cell[]; readonly before: number; readonly copied: number }) => void;
  };
}

/** What became of the cells. */
export interface CellsEnd {
  /** Cells that were finished before, in this directory. */
  readonly before: number;
  /** Cells that were copied from another directory. */
  readonly copied: number;
  readonly failed: readonly { readonly cell: Cell; readonly sentence: string }[];
  /** Cells of all parts that are not finished yet. */
  readonly left: readonly Cell[];
}

/** sweep.json: the runs that belong to a directory of cells, in their order. */
export const cellsFile = (root: string): string => join(root, "sweep.json");

/** The names of all cells of a directory, in their order. */
export const namesOfCells = (root: string): readonly string[] =>
  (JSON.parse(readFileSync(cellsFile(root), "utf8")) as { readonly runs: readonly string[] }).runs;

/**
 * Runs what is left of cells, each into a directory of its own within one. The same cells again go on where they were, and are not run again where they are
 * finished, here or in another sweep's directory.
 *
 * @throws RunError where the directory cannot be used, or two cells have one name.
 */
export async function runCells(
  cells: readonly Cell[],
  { root, runner, signal, shard, caches = [], tell = {} }: CellsWork,
): Promise<CellsEnd> {
  if (existsSync(join(root, "run.json")))
    throw new RunError(`${root} is the run of one attack; name another directory with --out.`);
  const folder = ({ name }: Cell) => join(root, name);
  const made = makeFolder(root);
  try {
    const index = `${JSON.stringify({ command: "sweep", format: runFormat, runs: cells.map((c) => c.name) }, undefined, 2)}\n`;
    writeWhole(cellsFile(root), index);
    const own = shard ? cells.filter((_, i) => i % shard.count === shard.index - 1) : cells;
    const known = new Known(caches);
    const todo: Cell[] = [];
    let copied = 0;
    for (const cell of own) {
      if (isDone(folder(cell), cell)) continue;
      if (known.copy(cell, folder(cell))) copied++;
      else todo.push(cell);
    }
    const before = own.length - todo.length - copied;
    tell.begun?.({ todo, before, copied });
    const failed: { cell: Cell; sentence: string }[] = [];
    if (todo.length > 0)
      await runner.run(todo, {
        folder,
        signal,
        started: (cell, worker) => {
          clearFailure(folder(cell));
          // What a folder's name lies in: a run makes its own folder, and takes it away where nothing came of it.
          made.push(...makeFolder(dirname(folder(cell))));
          tell.started?.(cell, worker);
        },
        progress: (cell, done, total, note) => tell.progress?.(cell, done, total, note),
        done: (cell) => tell.done?.(cell),
        failed: (cell, sentence, tries) => {
          failed.push({ cell, sentence });
          writeFailure(folder(cell), { key: cell.key, sentence, attempts: tries });
          tell.failed?.(cell, sentence, tries);
        },
      });
    const left = cells.filter((cell) => !isDone(folder(cell), cell));
    return { before, copied, failed, left };
  } finally {
    // Where nothing came of any of them, nothing stays.
    if (!cells.some((cell) => existsSync(folder(cell)))) {
      for (const cell of cells) clearFailure(folder(cell));
      if (made.length > 0) rmSync(cellsFile(root), { force: true });
      removeEmpty(made);
    }
  }
}

/** Cells that are finished in directories of other sweeps. */
class Known {
  /** Folders by key. */
  readonly #folders = new Map<string, string[]>();

  constructor(private readonly roots: readonly string[]) {
    for (const root of roots) {
      if (!existsSync(cellsFile(root)))
        throw new RunError(`${root} holds no cells: there is no sweep.json; name the directory of a sweep.`);
      const parents = new Set(namesOfCells(root).map((name) => dirname(join(root, name))));
      for (const parent of parents) {
        if (!existsSync(parent)) continue;
        for (const entry of readdirSync(parent, { withFileTypes: true })) {
          if (!entry.isDirectory()) continue;
          const path = join(parent, entry.name);
          const key = readDone(path)?.key;
          if (key !== undefined) this.#folders.set(key, [...(this.#folders.get(key) ?? []), path]);
        }
      }
    }
  }

  /** Copies a finished cell to where it is to be; whether there was one. */
  copy(cell: Cell, to: string): boolean {
    const [from] = this.#folders.get(cell.key) ?? [];
    if (from === undefined) return false;
    const partial = `${to}.part`;
    rmSync(partial, { recursive: true, force: true });
    makeFolder(dirname(to));
    cpSync(from, partial, { recursive: true });
    writeDone(partial, cell, readDone(from)?.from ?? this.roots.find((root) => from.startsWith(root)) ?? from);
    rmSync(to, { recursive: true, force: true });
    renameSync(partial, to);
    return true;
  }
}

function writeWhole(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}
