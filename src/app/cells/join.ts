import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { RunError } from "../runs/error.js";
import { makeFolder } from "../runs/folders.js";
import { readDone } from "./done.js";
import { cellsFile, namesOfCells } from "./run-cells.js";

/** Whether a directory is one of cells: of a sweep, a suite, several attacks. */
export const holdsCells = (path: string): boolean => existsSync(cellsFile(path)) && !existsSync(join(path, "run.json"));

/**
 * Joins directories, each of which holds some of the same cells, into one that holds all. One of them may be that directory itself.
 *
 * @throws RunError where they are parts of different sweeps, or cells are missing; nothing is written then.
 */
export function joinCells(paths: readonly string[], out: string): void {
  const names = namesOfCells(paths[0]!);
  const other = paths.find((path) => JSON.stringify(namesOfCells(path)) !== JSON.stringify(names));
  if (other !== undefined)
    throw new RunError(`${other} holds other cells than ${paths[0]}; only parts of one sweep, of the same plan, can be joined.`);
  const found = new Map(names.map((name) => [name, paths.find((path) => readDone(join(path, name)) !== undefined)]));
  const missing = names.filter((name) => found.get(name) === undefined);
  if (missing.length > 0)
    throw new RunError(
      `${missing.length} of ${names.length} cells are finished in none of these directories (the first is ${missing[0]}); finish the parts, and name all of them.`,
    );
  if (existsSync(cellsFile(out)) && JSON.stringify(namesOfCells(out)) !== JSON.stringify(names))
    throw new RunError(`${out} holds cells of another sweep; name a new directory.`);
  makeFolder(out);
  for (const [name, path] of found) {
    const [from, to] = [join(path!, name), join(out, name)];
    if (readDone(to)?.key === readDone(from)!.key) continue;
    makeFolder(dirname(to));
    rmSync(`${to}.part`, { recursive: true, force: true });
    cpSync(from, `${to}.part`, { recursive: true });
    rmSync(to, { recursive: true, force: true });
    renameSync(`${to}.part`, to);
  }
  if (!existsSync(cellsFile(out))) cpSync(cellsFile(paths[0]!), cellsFile(out));
}
