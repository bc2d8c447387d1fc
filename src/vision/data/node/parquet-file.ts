/** One Parquet file: what its footer says, and its rows a group at a time (https://parquet.apache.org/docs/file-format). */
import type { AsyncBuffer, FileMetaData, SchemaTree } from "hyparquet";
import { DataError } from "../error.js";
import { isBoxField } from "./archived-boxes.js";

export type Row = Readonly<Record<string, unknown>>;

/** What a column of a file holds. */
export interface Column {
  readonly name: string;
  /** An encoded picture as bytes, or bytes with the file's name ("file"); a whole number; boxes with what belongs to each ("objects"); something else. */
  readonly holds: "bytes" | "file" | "integer" | "objects" | "other";
  /** Of objects: the names of their fields. */
  readonly fields?: readonly string[];
}

export interface ParquetFile {
  readonly path: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Texts that whoever wrote the file put in its footer. */
  readonly notes: ReadonlyMap<string, string>;
  /** First rows of the groups that are read at once. */
  readonly groups: readonly number[];
  /**
   * The rows of a group.
   *
   * @throws DataError where they are damaged.
   */
  group(index: number, columns: readonly string[]): Promise<readonly Row[]>;
  /** @throws DataError where a column is compressed in a way that is not read here. */
  checkCodecs(columns: readonly string[]): void;
}

/**
 * Reads a file's footer; rows are read when they are asked for.
 *
 * @throws DataError where it is no Parquet file, or cut short.
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  // Only who reads such files waits for these to load.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const [file, metadata] = await reading(path, "is no Parquet file that can be read, or is cut short", async () => {
    const file = await asyncBufferFromFile(path);
    return [file, await parquetMetadataAsync(file)] as const;
  });
  const groups: number[] = [];
  let rows = 0;
  for (const { num_rows } of metadata.row_groups) {
    groups.push(rows);
    rows += Number(num_rows);
  }
  checkLength(path, file, metadata);
  return {
    path,
    rows,
    columns: columnsOf(parquetSchema(metadata)),
    notes: new Map((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""])),
    groups,
    checkCodecs(columns) {
      for (const { columns: chunks } of metadata.row_groups)
        for (const { meta_data } of chunks) {
          if (!meta_data || !columns.includes(meta_data.path_in_schema[0]!)) continue;
          const { codec } = meta_data;
          if (codec === "UNCOMPRESSED" || Object.hasOwn(compressors, codec)) continue;
          throw new DataError(
            `${path}: the column ${meta_data.path_in_schema[0]} is compressed with ${codec ?? "something unknown"}, which is not read; write the file again with ${Object.keys(compressors).slice(0, 4).join(", ").toLowerCase()} or without compression.`,
          );
        }
    },
    group: (index, columns) =>
      reading(path, "is damaged", () =>
        parquetReadObjects({
          ...{ file, metadata, compressors, columns: [...columns], utf8: false },
          rowStart: groups[index]!,
          rowEnd: groups[index + 1] ?? rows,
        }),
      ),
  };
}

/** What the library says of a file, as a sentence with its path. */
async function reading<T>(path: string, trouble: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const [said] = (error as Error).message.split("\n");
    throw new DataError(`${path} ${trouble} (${said!.replace(/^parquet /, "").slice(0, 160)}).`);
  }
}

/** Chunks must lie within the file, or it was put together of parts. */
function checkLength(path: string, { byteLength }: AsyncBuffer, { row_groups }: FileMetaData): void {
  for (const { columns } of row_groups)
    for (const { meta_data } of columns) {
      const end = Number((meta_data?.data_page_offset ?? 0n) + (meta_data?.total_compressed_size ?? 0n));
      if (Number(meta_data?.data_page_offset ?? 0n) > byteLength)
        throw new DataError(`${path} is damaged: its footer names data at byte ${end}, and the file has ${byteLength}.`);
    }
}

/** The names at the level of a group's tree where one of them is a given one. */
function fieldsBeside(children: readonly SchemaTree[], isOne: (name: string) => boolean): readonly string[] | undefined {
  const names = children.map((c) => c.element.name);
  if (names.some(isOne)) return names;
  for (const child of children) {
    const found = fieldsBeside(child.children, isOne);
    if (found) return found;
  }
  return undefined;
}

function columnsOf(schema: SchemaTree): Column[] {
  return schema.children.map(({ element, children }): Column => {
    const { name, type, converted_type, logical_type } = element;
    if (children.length > 0) {
      const fields = fieldsBeside(children, isBoxField);
      if (fields) return { name, holds: "objects", fields };
      return { name, holds: children.some((c) => c.element.name === "bytes") ? "file" : "other" };
    }
    if (type === "INT32" || type === "INT64")
      return { name, holds: converted_type?.startsWith("D") || converted_type?.startsWith("TIME") ? "other" : "integer" };
    const isText = converted_type !== undefined || logical_type !== undefined;
    return { name, holds: type === "BYTE_ARRAY" && !isText ? "bytes" : "other" };
  });
}
