import { readFile, writeFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { NpyError, parseNpy, parseNpz, writeNpy, writeNpz } from "./npy.js";
import { parseSafetensors, SafetensorsError, writeSafetensors } from "./safetensors.js";
import type { Tensor } from "./tensor.js";

/** A file of tensors that cannot be read or written: one sentence that begins with its path. */
export class TensorFileError extends Error {
  override readonly name = "TensorFileError";
}

const endings = ".safetensors, .npz or .npy";

/**
 * Reads a file of tensors: `.safetensors`, NumPy's `.npz`, or `.npy`, whose one array is named as the file is.
 *
 * @throws TensorFileError when the file is missing, damaged or of another kind.
 * @example const images = (await readTensors("images.npy")).get("images")
 */
export async function readTensors(path: string): Promise<Map<string, Tensor>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new TensorFileError(
      error.code === "ENOENT" ? `${path}: no such file; check the path.` : `${path} cannot be read (${error.code}).`,
    );
  });
  const ending = extname(path).toLowerCase();
  try {
    if (ending === ".npy") return new Map([[basename(path, extname(path)), parseNpy(bytes, path)]]);
    if (ending === ".npz") return parseNpz(bytes, path);
    if (ending === ".safetensors") return parseSafetensors(bytes).tensors;
  } catch (error) {
    if (error instanceof NpyError) throw new TensorFileError(error.message);
    if (error instanceof SafetensorsError) throw new TensorFileError(`${path}: ${error.message}`);
    throw error;
  }
  throw new TensorFileError(`${path}: tensors are read from ${endings} files.`);
}

/**
 * Whether a file can hold so many tensors; to be asked before they are computed.
 *
 * @throws TensorFileError when its ending names no format, or one that holds fewer.
 */
export function checkTensorFile(path: string, tensors: number): void {
  const ending = extname(path).toLowerCase();
  if (![".npy", ".npz", ".safetensors"].includes(ending))
    throw new TensorFileError(`${path}: tensors are written to ${endings} files.`);
  if (ending === ".npy" && tensors !== 1)
    throw new TensorFileError(`${path}: a .npy file holds one array, not ${tensors}; write .npz or .safetensors.`);
}

/**
 * Writes tensors to a file of the kind that its ending names.
 *
 * @throws TensorFileError as `checkTensorFile`.
 * @example await writeTensors("result.npz", new Map([["images", result.images]]))
 */
export async function writeTensors(path: string, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
  checkTensorFile(path, tensors.size);
  const ending = extname(path).toLowerCase();
  const [first] = tensors.values();
  await writeFile(path, ending === ".npy" ? writeNpy(first!) : ending === ".npz" ? writeNpz(tensors) : writeSafetensors(tensors));
}
