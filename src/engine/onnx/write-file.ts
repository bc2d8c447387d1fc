import { type FileHandle, mkdtemp, open, rename, rm, stat } from "node:fs/promises";
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
  /** Looks at the written model under a path that is not its final one; what it throws leaves everything as it was before. */
  readonly check?: (path: string) => Promise<void>;
}

/** Room for nodes and names beside the weights. */
const headroom = 2 ** 26;

/**
 * Writes a model to disk (Node only), into a neighboring folder from which files are moved at the end: a reader sees the old model or the new
 * one, never half of one. Weights are written from where they are, without a copy in memory.
 *
 * @returns the files that were written: the model, and FILE.data where its weights lie beside it.
 * @throws ModelError when FILE.data exists and FILE does not, for then it is the data of another model; file system errors as Node
 *   reports them.
 * @example const files = await saveModel(gradient, "vit.grad.onnx"); // ["vit.grad.onnx", "vit.grad.onnx.data"]
 */
export async function saveModel(model: OnnxModel, path: string, options: SaveOptions = {}): Promise<string[]> {
  const { weights = "as needed", largest = largestMessage - headroom, check, ...rest } = options;
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
  const files = new Map([...data, [basename(path), message]]);
  await writeAll(dirname(path), files, async (folder) => check?.(join(folder, basename(path))));
  return [path, ...[...data.keys()].map((name) => join(dirname(path), name))];
}

/** Writes files into a folder beside their place, and moves them there when all are written and checked. */
async function writeAll(
  place: string,
  files: ReadonlyMap<string, Chunks>,
  check: (folder: string) => Promise<void>,
): Promise<void> {
  const last = [...files.keys()].at(-1)!;
  let partial: string | undefined;
  let current = last;
  try {
    partial = await mkdtemp(join(place, `.${last}.`));
    for (const [name, chunks] of files) {
      current = name;
      await writeChunks(join(partial, name), chunks);
    }
    await check(partial);
    for (const name of files.keys()) {
      current = name;
      await rename(join(partial, name), join(place, name));
    }
  } catch (error) {
    // The user knows the file by the name they gave.
    if (error instanceof Error && "path" in error) error.path = join(place, current);
    if (error instanceof Error && partial) error.message = error.message.replaceAll(partial, place);
    throw error;
  } finally {
    if (partial) await rm(partial, { recursive: true, force: true }).catch(() => {});
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
