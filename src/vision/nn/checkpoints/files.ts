/** Checkpoints as files. Needs Node; in the browser use `readPth`, `writePth`, `parseSafetensors` and `writeSafetensors` on bytes. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { parseSafetensors, SafetensorsError, writeSafetensors } from "../../../engine/tensor/safetensors.js";
import { CheckpointError } from "./error.js";
import { type PthOptions, readPth } from "./pth.js";
import { type StateDict, stripPrefix } from "./state-dict.js";
import { writePth } from "./write-pth.js";

/**
 * Reads a checkpoint by its extension: `.pth`, `.pt`, `.ckpt` (PyTorch) or `.safetensors`.
 *
 * @example const state = await loadCheckpoint("net_g_latest.pth", { key: "params" })
 * @throws CheckpointError, with the path, when the file cannot be read or is not what its name says.
 */
export async function loadCheckpoint(path: string, options: PthOptions = {}): Promise<StateDict> {
  const format = formatOf(path);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CheckpointError(`Cannot read the checkpoint ${path}: ${error.code === "ENOENT" ? "no such file" : error.message}.`);
  });
  try {
    if (format === "pth") return readPth(bytes, options);
    if (options.key !== undefined) throw new CheckpointError("A .safetensors file is one flat state dict: leave the key out.");
    const state = parseSafetensors(bytes).tensors;
    return options.stripPrefix === undefined ? state : stripPrefix(state, options.stripPrefix);
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SafetensorsError)
      throw new CheckpointError(`${path}: ${error.message}`);
    throw error;
  }
}

/**
 * Writes a checkpoint by its extension, under a temporary name first, so that an interrupted run leaves the old file whole.
 * `key` is the top-level key of a PyTorch file (none: the state dict itself).
 *
 * @example await saveCheckpoint("net.pth", state, { key: "params" })
 * @throws CheckpointError for another extension, types that the format lacks, or a key with `.safetensors`.
 */
export async function saveCheckpoint(path: string, state: StateDict, options: { key?: string } = {}): Promise<void> {
  let bytes: Uint8Array;
  if (formatOf(path) === "pth") bytes = writePth(state, options.key);
  else {
    if (options.key !== undefined)
      throw new CheckpointError(`${path}: a .safetensors file is one flat state dict: leave the key out.`);
    bytes = writeSafetensors(state);
  }
  const partial = `${path}.${process.pid}.partial`;
  await writeFile(partial, bytes);
  await rename(partial, path);
}

function formatOf(path: string): "pth" | "safetensors" {
  const extension = extname(path).toLowerCase();
  if (extension === ".safetensors") return "safetensors";
  if (extension === ".pth" || extension === ".pt" || extension === ".ckpt") return "pth";
  throw new CheckpointError(`${path}: a checkpoint's name ends in .pth, .pt, .ckpt or .safetensors.`);
}
