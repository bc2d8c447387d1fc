/** What COCO's annotations have in common: JSON of a known form, and pictures in one of a few folders. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { DataError } from "../error.js";
import { isFile, isFolder } from "./files.js";

/**
 * Reads annotations.
 *
 * @param what the form, for the message: "object detection".
 * @throws DataError where the file is no JSON, or not in that form.
 */
export async function readAnnotations<T>(path: string, form: z.ZodType<T>, what: string): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new DataError(`${path} is not valid JSON: ${(error as Error).message}.`);
  }
  const result = form.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DataError(`${path} is not in COCO's form for ${what}: ${issue!.path.join(".") || "top level"}: ${issue!.message}.`);
}

/** Where the pictures of a split may lie, the likeliest first: `val2017/`, `images/val2017/`, `images/`, the folder itself. */
export const pictureFolders = (root: string, split: string): string[] =>
  [split, join("images", split), "images", "."].map((place) => join(root, place));

/**
 * The folder that holds the pictures.
 *
 * @param first the name of one of them; undefined where there are none.
 * @throws DataError where none of the folders has it.
 */
export async function picturesAmong(
  folders: readonly string[],
  { root, split, first }: { readonly root: string; readonly split: string; readonly first: string | undefined },
): Promise<string> {
  for (const folder of folders)
    if ((await isFolder(folder)) && (first === undefined || (await isFile(folder, first)))) return folder;
  throw new DataError(
    `${root} has no picture ${first} in ${folders.map((p) => `${p}/`).join(", ")}: where are the pictures of ${split}?`,
  );
}
