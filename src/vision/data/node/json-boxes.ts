/** Objects of a picture within a JSON file, as shards of WebDataset have them: COCO's annotations of one picture. */
import { DataError } from "../error.js";
import { isBoxField, type PictureSize, type Written, writtenObjects } from "./archived-boxes.js";

/** Fields that hold the objects, the likeliest first. */
const usual = ["annotations", "objects", "labels", "boxes"];

/** What a file says of a picture. */
export interface JsonObjects {
  readonly objects: readonly Written[];
  /** Of the picture that was annotated, where the file says it. */
  readonly size: PictureSize | undefined;
}

/**
 * Reads a list of objects, or a record that has them (`annotations`, `objects`), or their columns (`bbox`, `category_id`), and the size of the picture beside them (`width` and
 * `height`, or those of `image`).
 *
 * @param field that holds the objects, where another one does.
 * @throws DataError where there are none.
 */
export function parseJsonObjects(text: string, field: string | undefined): JsonObjects {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError("the JSON is not valid.");
  }
  if (Array.isArray(value)) return { objects: writtenObjects(value), size: undefined };
  const record = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const fields = Object.keys(record);
  const name = field ?? usual.find((f) => typeof record[f] === "object" && record[f] !== null && !isColumn(record, f));
  if (name !== undefined && !Object.hasOwn(record, name))
    throw new DataError(`there is no ${name}; there are ${fields.slice(0, 8).join(", ") || "no fields"}.`);
  const inColumns = fields.some(isBoxField);
  if (name === undefined && !inColumns)
    throw new DataError(
      `there is no ${usual.join(", ")}; there are ${fields.slice(0, 8).join(", ") || "no fields"}. Name the field of the objects with the variant json:FIELD.`,
    );
  return { objects: writtenObjects(name === undefined ? record : record[name]), size: sizeIn(record) ?? sizeIn(record.image) };
}

/** Whether a field is one of several columns, not a list of objects itself. */
const isColumn = (record: Record<string, unknown>, name: string): boolean =>
  isBoxField(name) || (Object.keys(record).some(isBoxField) && Array.isArray(record[name]));

function sizeIn(value: unknown): PictureSize | undefined {
  const { height, width } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  return typeof height === "number" && typeof width === "number" ? { height, width } : undefined;
}
