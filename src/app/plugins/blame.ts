import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// Whose defect an unexpected error is: ours, or that of a module of somebody's own.

const paths = new Map<string, string>();

/** From now on errors that pass through this module are known as its own. */
export function watch(path: string): void {
  paths.set(pathToFileURL(resolve(path)).href, path);
}

/** The module, and the line in it, that an error came from or through, as it was named; undefined where there is none. */
export function culprit({ stack = "" }: Error): string | undefined {
  for (const [href, path] of paths) {
    const at = stack.indexOf(`${href}:`);
    if (at >= 0) return `${path}, line ${Number.parseInt(stack.slice(at + href.length + 1), 10)}`;
  }
  return undefined;
}
