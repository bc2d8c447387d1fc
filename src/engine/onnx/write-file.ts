import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Chunks } from "./chunks.js";
import { OneDataFile } from "./data-files.js";
import { ModelError, type OnnxModel } from "./model.js";
import { encodeModel, largestMessage, tensorBytes, type WriteOptions } from "./write.js";

export interface SaveOptions extends WriteOptions {
  /**
   * Where weights go: into the file, or into one beside it, FILE.data. Default "as needed": beside it where the model is larger than
   * `largest`.
   */
  readonly weights?: "as needed" | "beside";
  /** Bytes of weights that the file itself takes at most; default (and at most) the 2 GB that the format allows. */
  readonly largest?: number;
}

/** Room for nodes and names beside the weights. */
const headroom = 2 ** 26;

/**
 * Writes a model to disk (Node only), by neighboring files that are renamed at the end: a reader sees the old model or the new one, never
 * half of one. Weights are written from where they are, without a copy in memory.
 *
 * @returns the files that were written: the model, and FILE.data where its weights lie beside it.
 * @throws ModelError when FILE.data exists and FILE does not, for then it is the data of another model; file system errors as Node
 *   reports them.
 * @example const files = await saveModel(gradient, "vit.grad.onnx"); // ["vit.grad.onnx", "vit.grad.onnx.data"]
 */
export async function saveModel(model: OnnxModel, path: string, options: SaveOptions = {}): Promise<string[]> {
  const { weights = "as needed", largest = largestMessage - headroom, ...rest } = options;
  const beside = weights === "beside" || tensorBytes(model.graph) > largest;
  const { message, data } = encodeModel(model, {
    ...rest,
    weights: beside ? new OneDataFile(`${basename(path)}.data`) : "inside",
  });
  if (data.size > 0 && !(await exists(path)) && (await exists(`${path}.data`)))
    throw new ModelError(
      `${path}.data exists and is not the data of ${path}, which does not exist; choose another name, or remove that file.`,
    );
  // The data first: a model must never point at weights that are not there yet.
  const files = new Map([...[...data].map(([name, chunks]) => [join(dirname(path), name), chunks] as const), [path, message]]);
  await writeAll(files);
  return [path, ...[...files.keys()].filter((file) => file !== path)];
}

/** Writes the files under other names, and renames them when all are there. */
async function writeAll(files: ReadonlyMap<string, Chunks>): Promise<void> {
  const partial = new Map(
    [...files.keys()].map((path) => [
      path,
      join(dirname(path), `.${basename(path)}.${process.pid}.${Math.random().toString(36).slice(2)}.part`),
    ]),
  );
  let current = "";
  try {
    for (const [path, chunks] of files) {
      current = path;
      await writeChunks(partial.get(path)!, chunks);
    }
    for (const [path, from] of partial) {
      current = path;
      await rename(from, path);
    }
  } catch (error) {
    for (const from of partial.values()) await rm(from, { force: true }).catch(() => {});
    // The user knows the file by the name they gave.
    if (error instanceof Error && "path" in error) error.path = current;
    throw error;
  }
}

/** One call to the system takes less than 2 GiB. */
const largestWrite = 2 ** 30;

/** Writes a new file. */
export async function writeChunks(path: string, { chunks }: Chunks): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const chunk of chunks)
      for (let at = 0; at < chunk.length; at += largestWrite) await writeWhole(file, chunk.subarray(at, at + largestWrite));
  } finally {
    await file.close();
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
