import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Cell, cellFormat } from "./cell.js";

// What stands in a directory of cells of each of them: `NAME/cell.json` where it is finished, `NAME.failed.json` where it failed. Neither: it is to be done.

/** cell.json: the last file that a cell writes. */
const doneSchema = z.object({
  format: z.literal(cellFormat),
  key: z.string(),
  version: z.string(),
  /** The directory that it was copied from, where it was not run. */
  from: z.string().optional(),
});
export type Done = z.infer<typeof doneSchema>;

/** NAME.failed.json */
const failureSchema = z.object({ key: z.string(), sentence: z.string(), attempts: z.number() });
export type Failure = z.infer<typeof failureSchema>;

/** What a run directory says of the cell that was finished in it; undefined where none was. */
export const readDone = (folder: string): Done | undefined => read(join(folder, "cell.json"), doneSchema);

/** Whether a directory holds this very cell, finished. */
export const isDone = (folder: string, { key }: Pick<Cell, "key">): boolean => readDone(folder)?.key === key;

/** Writes that a cell is finished. @param from where its directory was copied from. */
export function writeDone(folder: string, { key, version }: Pick<Cell, "key" | "version">, from?: string): void {
  write(join(folder, "cell.json"), { format: cellFormat, key, version, ...(from !== undefined && { from }) });
}

const failureFile = (folder: string): string => `${folder}.failed.json`;

/** Why a cell failed, where it did. */
export const readFailure = (folder: string): Failure | undefined => read(failureFile(folder), failureSchema);

export const writeFailure = (folder: string, failure: Failure): void => write(failureFile(folder), failure);

export const clearFailure = (folder: string): void => rmSync(failureFile(folder), { force: true });

function read<T>(file: string, schema: z.ZodType<T>): T | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    // Cut short by a crash: as if it were not there.
    return undefined;
  }
}

function write(file: string, value: unknown): void {
  writeFileSync(`${file}.part`, `${JSON.stringify(value)}\n`);
  renameSync(`${file}.part`, file);
}
