import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { type Cell, type Need, needsOf } from "../cells/cell.js";
import { hashFile } from "../hash-file.js";
import { hashModel } from "../hash-model.js";
import { download, isUrl } from "./download.js";

/** This worker cannot do a cell; another one may: one sentence. */
export class Elsewhere extends Error {
  override readonly name = "Elsewhere";
}

/** Where a worker looks for what a plan names: relative paths below `to`; paths that begin with `from` with `to` in its stead. */
export interface Root {
  readonly from?: string;
  readonly to: string;
}

export interface Looking {
  readonly roots: readonly Root[];
  /** Where files from addresses are kept. */
  readonly files: string;
  readonly signal?: AbortSignal;
}

/** `DIR`, or `FROM=DIR`. */
export function readRoot(text: string): Root {
  const [, from, to] = /^(?:([^=]*)=)?(.*)$/.exec(text)!;
  return from === undefined ? { to: to! } : { from, to: to! };
}

/**
 * Where all that a cell is made from lies on this machine: addresses are brought here, paths are looked for. A path decides nothing: what lies there must
 * have the hash that the plan has.
 *
 * @throws Elsewhere for what is not here or is another file; DownloadError.
 */
export async function placesOf(cell: Cell, looking: Looking): Promise<Record<string, string>> {
  const places: Record<string, string> = {};
  for (const need of needsOf(cell)) places[need.named] ??= await placeOf(need, looking);
  return places;
}

async function placeOf(need: Need, { roots, files, signal }: Looking): Promise<string> {
  const { named, kind, sha256 } = need;
  if (isUrl(named)) {
    const { path } = await download(named, {
      sha256: kind === "data" ? undefined : sha256,
      folder: files,
      ...(signal && { signal }),
    });
    return path;
  }
  const candidates = [
    ...roots.flatMap(({ from, to }) => {
      if (from !== undefined) return named.startsWith(from) ? [join(to, named.slice(from.length))] : [];
      return isAbsolute(named) ? [] : [join(to, named)];
    }),
    ...(isAbsolute(named) ? [named] : []),
  ].map((path) => resolve(path));
  const found = candidates.filter((path) => existsSync(path));
  if (found.length === 0)
    throw new Elsewhere(
      `${named} is not there (looked for ${[...new Set(candidates)].join(", ") || "nothing"}); say with --root where the sweep's files lie on this machine.`,
    );
  // A data set's fingerprint is of what it holds, and is checked where it is opened.
  if (sha256 === undefined || kind === "data" || kind === "folder") return found[0]!;
  for (const path of found) if ((await hashOf(path, kind)) === sha256) return path;
  throw new Elsewhere(
    `${found[0]} is another file than the sweep's ${named}: its SHA-256 is ${await hashOf(found[0]!, kind)}, and not ${sha256}.`,
  );
}

/** Models are asked for cell after cell. */
const hashes = new Map<string, Promise<string>>();
function hashOf(path: string, kind: Need["kind"]): Promise<string> {
  const { size, mtimeMs } = statSync(path);
  const name = `${path} ${size} ${mtimeMs}`;
  const hash = hashes.get(name) ?? (kind === "model" ? hashModel(path) : hashFile(path));
  hashes.set(name, hash);
  return hash;
}
