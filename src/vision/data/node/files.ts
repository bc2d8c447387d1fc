/** Files and folders, with errors that say which file and what to do. Node only. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { DataError } from "../error.js";
import { naturalOrder } from "../natural-order.js";

export const imageExtensions: readonly string[] = [
  ".jpg",
  ".jpeg",
  ".png",
  ".webp",
  ".tif",
  ".tiff",
  ".bmp",
  ".gif",
  ".avif",
  ".ppm",
  ".pgm",
];

/**
 * Reads a file and decodes it; whatever is wrong with it is told with its path.
 *
 * @throws DataError when the file is missing or unreadable, or `parse` throws one.
 */
export async function load<T>(path: string, parse: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DataError(`${path} cannot be read: ${code === "ENOENT" ? "there is no such file" : code}.`);
  }
  try {
    return await parse(bytes);
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`${path}: ${error.message}`);
    throw error;
  }
}

export async function isFolder(...parts: string[]): Promise<boolean> {
  return (await kindOf(join(...parts))) === "folder";
}

export async function isFile(...parts: string[]): Promise<boolean> {
  return (await kindOf(join(...parts))) === "file";
}

/** Names of the files with one of the extensions (any case), in natural order; hidden files are left out. None where the folder is missing. */
export async function filesIn(folder: string, extensions: readonly string[] = imageExtensions): Promise<string[]> {
  const names = (await entries(folder)).filter((e) => e.kind === "file").map((e) => e.name);
  return names.filter((name) => extensions.includes(extname(name).toLowerCase())).sort(naturalOrder);
}

/**
 * Paths of all pictures in a folder and the folders in it, in natural order; hidden ones are left out.
 *
 * @throws DataError where there is no such folder.
 */
export async function imagesBelow(folder: string): Promise<string[]> {
  if (!(await isFolder(folder))) throw new DataError(`There is no folder ${folder}.`);
  const own = (await filesIn(folder)).map((name) => join(folder, name));
  const inside = await Promise.all((await foldersIn(folder)).map((name) => imagesBelow(join(folder, name))));
  return [...own, ...inside.flat()];
}

/** Names of the folders inside, in natural order; hidden ones are left out. None where the folder is missing. */
export async function foldersIn(folder: string): Promise<string[]> {
  return (await entries(folder))
    .filter((e) => e.kind === "folder")
    .map((e) => e.name)
    .sort(naturalOrder);
}

/** "left/frame_1.png" becomes "left/frame_1". */
export function stem(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}

/** Files by their name without extension. */
export function byStem(names: readonly string[]): Map<string, string> {
  return new Map(names.map((name) => [stem(basename(name)), name]));
}

type Kind = "file" | "folder" | "none";

async function kindOf(path: string): Promise<Kind> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? "folder" : found.isFile() ? "file" : "none";
  } catch {
    return "none";
  }
}

async function entries(folder: string): Promise<{ name: string; kind: Kind }[]> {
  if (!(await isFolder(folder))) return [];
  const found = (await readdir(folder, { withFileTypes: true })).filter((e) => !e.name.startsWith("."));
  return Promise.all(
    found.map(async (e) => ({
      name: e.name,
      // Data sets are often links to another disk.
      kind: e.isSymbolicLink() ? await kindOf(join(folder, e.name)) : e.isDirectory() ? "folder" : "file",
    })),
  );
}
