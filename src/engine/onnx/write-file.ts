import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { OnnxModel } from "./model.js";
import { type WriteOptions, writeModel } from "./write.js";

/**
 * Writes a model to disk (Node only), by a neighbouring file that is renamed at the end: a reader sees the old model or the new one,
 * never half of one.
 *
 * @throws ModelError when the model is larger than an ONNX file holds; file system errors as Node reports them.
 */
export async function saveModel(model: OnnxModel, path: string, options: WriteOptions = {}): Promise<void> {
  const bytes = writeModel(model, options);
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}.${Math.random().toString(36).slice(2)}.part`);
  try {
    await writeFile(partial, bytes);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    // The user knows the file by the name they gave.
    if (error instanceof Error && "path" in error) error.path = path;
    throw error;
  }
}
