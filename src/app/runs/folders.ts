import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { RunError } from "./error.js";

/**
 * Makes a folder with all above it, one level at a time: Node's recursive mkdir never returns where the file system refuses new folders with ENOENT (/proc).
 *
 * @returns the folders that were not there before, the outermost first.
 * @throws RunError where it cannot be made.
 */
export function makeFolder(path: string): string[] {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) return [];
    throw new RunError(`${path} is a file; name a directory with --out.`);
  }
  const above = dirname(path) === path ? [] : makeFolder(dirname(path));
  try {
    mkdirSync(path);
    return [...above, path];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") return above;
    removeEmpty(above);
    throw new RunError(`${path} cannot be made (${code}); name a directory with --out that can be written.`);
  }
}

/**
 * Whether files can be written into the folder later, before the work whose result they are. Nothing is left behind: what is missing is made and removed.
 *
 * @throws RunError
 */
export function demandFolder(path: string): void {
  removeEmpty(makeFolder(path));
  try {
    if (existsSync(path)) accessSync(path, constants.W_OK);
  } catch (error) {
    throw new RunError(
      `${path} cannot be written to (${(error as NodeJS.ErrnoException).code}); name another directory with --out.`,
    );
  }
}

/** Removes those of the folders that hold nothing; the outermost come first, as `makeFolder` gives them. */
export function removeEmpty(folders: readonly string[]): void {
  for (const folder of [...folders].reverse()) if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
