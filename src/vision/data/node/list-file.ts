/** Lists: one sample a line, fields separated by white space or commas; empty lines and "#" comments are skipped. */
import { DataError } from "../error.js";
import { load } from "./files.js";

/**
 * The fields of each line.
 *
 * @throws DataError when the file is missing or has no line.
 */
export async function readList(path: string): Promise<string[][]> {
  const text = await load(path, (bytes) => new TextDecoder().decode(bytes));
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const fields = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split(/[\s,]+/));
  if (fields.length === 0) throw new DataError(`${path} is empty.`);
  return fields;
}

/**
 * A class index as a list gives it.
 *
 * @throws DataError when the field is missing or not a whole number of at least 0.
 */
export function classIndex(field: string | undefined, path: string): number {
  if (field === undefined || !/^\d+$/.test(field)) {
    throw new DataError(
      `${path}: a class is a whole number from 0, not ${field === undefined ? "missing" : JSON.stringify(field)}.`,
    );
  }
  return Number(field);
}
