import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { defaultLimits, type Limits } from "./limits.js";
import { ModelError, type OnnxModel } from "./model.js";
import { parseModel } from "./read.js";
import type { ExternalData } from "./tensor-data.js";

/**
 * Reads a model from disk (Node only), as `parseModel` does. External data is taken from the model's own folder and below; a location
 * that leaves it, also by a symbolic link, is refused.
 *
 * @throws ModelError when the file is missing, too large, or not a sound model; the message starts with its path.
 */
export async function readModel(path: string, limits: Limits = defaultLimits): Promise<OnnxModel> {
  try {
    const { size } = await stat(path);
    if (size > limits.bytes) {
      throw new ModelError(
        `the file takes ${(size / 1e9).toFixed(1)} GB, and an ONNX file holds at most 2 GB; keep its weights as external data.`,
      );
    }
    const bytes = await readFile(path);
    return withFolder(await realpath(dirname(resolve(path))), (externalData) => parseModel(bytes, { externalData, limits }));
  } catch (error) {
    throw new ModelError(`${path}: ${sentence(error)}`);
  }
}

function sentence(error: unknown): string {
  if (error instanceof ModelError) return error.message;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "no such file; check the path.";
    case "EISDIR":
      return "this is a folder; give the .onnx file in it.";
    case "EACCES":
      return "reading it is not permitted.";
    default:
      throw error;
  }
}

/** Calls `use` with a reader of files in `folder`, each opened once, and closes them. */
function withFolder<T>(folder: string, use: (external: ExternalData) => T): T {
  const open = new Map<string, number>();
  const external: ExternalData = (location, offset, length) => {
    const file = open.get(location) ?? openInside(folder, location);
    open.set(location, file);
    // The size first: the length is the file's claim, and nothing may be allocated on it.
    const available = Math.max(0, fstatSync(file).size - offset);
    const bytes = new Uint8Array(Math.min(length, available));
    const read = bytes.length === 0 ? 0 : readSync(file, bytes, 0, bytes.length, offset);
    return bytes.subarray(0, read);
  };
  try {
    return use(external);
  } finally {
    for (const file of open.values()) closeSync(file);
  }
}

function openInside(folder: string, location: string): number {
  let real: string;
  try {
    real = realpathSync(resolve(folder, location));
  } catch {
    throw new ModelError(`its external data "${location}" is missing; put that file beside the model.`);
  }
  if (!real.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    throw new ModelError(
      `its external data "${location}" leads outside the model's own folder, which is refused; put the file itself there.`,
    );
  }
  const file = openSync(real, "r");
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new ModelError(`its external data "${location}" is not a file.`);
}
