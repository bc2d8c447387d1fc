import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { defaultLimits } from "./limits.js";
import { ModelError, type OnnxModel } from "./model.js";
import { parseModel, type ReadOptions, wireLimits } from "./read.js";
import type { Messages } from "./schema.js";
import type { ExternalData } from "./tensor-data.js";
import { decode } from "./wire.js";

/**
 * Reads a model from disk (Node only), as `parseModel` does. External data may be of any size; each tensor is read from its place into an
 * array of its own. It is taken from the model's own folder and below; where the model is a link, as in the caches of model hubs, from the
 * folder of the file that it leads to as well. A location that leaves these, also by a symbolic link, is refused.
 *
 * @throws ModelError when the file is missing, too large, or not a sound model; the message starts with its path.
 */
export async function readModel(path: string, options: Omit<ReadOptions, "externalData"> = {}): Promise<OnnxModel> {
  const { limits = defaultLimits } = options;
  try {
    const { size } = await stat(path);
    if (size > limits.bytes) {
      throw new ModelError(
        `the file takes ${(size / 1e9).toFixed(1)} GB, and an ONNX file holds at most 2 GB; keep its weights as external data.`,
      );
    }
    const home = await homeOf(path);
    return withFiles(home, (externalData) => withBytes(path, (bytes) => parseModel(bytes, { ...options, externalData })));
  } catch (error) {
    throw new ModelError(`${path}: ${sentence(error, path)}`);
  }
}

/**
 * The files in which a model keeps weights beside itself: real paths, by the names that the model has for them, sorted; none where it holds all itself.
 *
 * @throws ModelError as `readModel`, where one is missing or leads elsewhere.
 */
export async function externalFiles(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    const home = await homeOf(path);
    return new Map(externalLocations(path).map((location) => [location, place(home, location)]));
  } catch (error) {
    throw new ModelError(`${path}: ${sentence(error, path)}`);
  }
}

/**
 * The names that a model has for the files in which it keeps weights beside itself, sorted; whether these are there is not looked at.
 *
 * @throws ModelError where the file is not a sound model; file system errors as Node reports them.
 */
export function externalLocations(path: string): readonly string[] {
  return withBytes(path, (bytes) => {
    // Most models hold all themselves, and need not be taken apart to see that.
    if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes("location")) return [];
    return [...new Set(locationsIn(decode(bytes, "Model", wireLimits(defaultLimits))))].sort();
  });
}

/** Where the tensors anywhere in a message lie. */
function* locationsIn(message: unknown): Generator<string> {
  if (typeof message !== "object" || message === null || ArrayBuffer.isView(message)) return;
  if ("dataLocation" in message && message.dataLocation === 1 && "externalData" in message)
    for (const { key, value } of message.externalData as Messages["StringPair"][]) if (key === "location" && value) yield value;
  for (const part of Object.values(message)) yield* locationsIn(part);
}

function sentence(error: unknown, path: string): string {
  if (error instanceof ModelError) return error.message;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return /^https?:/i.test(path)
        ? "this is an address, and models are read from files; download it, with the files beside it that hold its weights where it has such, and give the path."
        : "no such file; check the path.";
    case "EISDIR":
      return "this is a folder; give the .onnx file in it.";
    case "EACCES":
      return "reading it is not permitted.";
    default:
      throw error;
  }
}

/** The part of ES2024's ArrayBuffer that Node 20 has. */
type ResizableArrayBuffer = new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };

/**
 * Calls `use` with the bytes of a file, and gives their memory back at once: a model copies what it keeps, and an array that only waits to be
 * collected would stand beside it for long.
 */
function withBytes<T>(path: string, use: (bytes: Uint8Array) => T): T {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const buffer = new (ArrayBuffer as unknown as ResizableArrayBuffer)(size, { maxByteLength: size });
    try {
      return use(readInto(new Uint8Array(buffer), file, 0));
    } finally {
      buffer.resize(0);
    }
  } finally {
    closeSync(file);
  }
}

/** Real paths of the folder that the model's name stands in and of the one its file lies in: two where that name is a link. */
interface Home {
  readonly folder: string;
  readonly linked: string;
}

const homeOf = async (path: string): Promise<Home> => ({
  folder: await realpath(dirname(resolve(path))),
  linked: dirname(await realpath(path)),
});

interface DataFile {
  readonly descriptor: number;
  readonly size: number;
  /** Bytes that tensors may still take: what the file holds, for no two tensors have half of their bytes in common. */
  left: number;
  /** What was read, by offset and length: tensors that share their bytes share the array. */
  readonly read: Map<string, Uint8Array>;
}

/** Calls `use` with a reader of the model's external files, each opened once, and closes them. */
function withFiles<T>(home: Home, use: (external: ExternalData) => T): T {
  const open = new Map<string, DataFile>();
  const external: ExternalData = (location, offset, length) => {
    const file = open.get(location) ?? openData(home, location);
    open.set(location, file);
    const key = `${offset} ${length}`;
    const known = file.read.get(key);
    if (known) return known;
    // The size first: the length is the file's claim, and nothing may be allocated on it.
    const there = Math.min(length, Math.max(0, file.size - offset));
    const bytes = readInto(new Uint8Array(there), file.descriptor, offset);
    file.left -= bytes.length;
    if (file.left < 0)
      throw new ModelError(`more is asked of its external data "${location}" than the file holds; it is damaged or hostile.`);
    file.read.set(key, bytes);
    return bytes;
  };
  try {
    return use(external);
  } finally {
    for (const { descriptor } of open.values()) closeSync(descriptor);
  }
}

/** One call to the system takes less than 2 GiB. */
const largestRead = 2 ** 30;

/** Fills the array from a place in a file; what was read is returned. */
function readInto(bytes: Uint8Array, file: number, offset: number): Uint8Array {
  let at = 0;
  while (at < bytes.length) {
    const read = readSync(file, bytes, at, Math.min(bytes.length - at, largestRead), offset + at);
    if (read === 0) break; // cut short in the meantime
    at += read;
  }
  return bytes.subarray(0, at);
}

function openData(home: Home, location: string): DataFile {
  const descriptor = openSync(place(home, location), "r");
  const status = fstatSync(descriptor);
  if (status.isFile()) return { descriptor, size: status.size, left: status.size, read: new Map() };
  closeSync(descriptor);
  throw new ModelError(`its external data "${location}" is not a file.`);
}

/**
 * Where external data really lie: in the model's folder or below. Where the model's name is a link, its data may lie beside the file that
 * the link leads to, under its own name or as the target of a link like the model's (Hugging Face keeps both in one folder of blobs).
 */
function place({ folder, linked }: Home, location: string): string {
  const beside = realPath(resolve(folder, location));
  if (beside !== undefined && (isWithin(beside, folder) || (linked !== folder && dirname(beside) === linked))) return beside;
  const behind = realPath(resolve(linked, location));
  if (behind !== undefined && isWithin(behind, linked)) return behind;
  throw new ModelError(
    beside === undefined && behind === undefined
      ? `its external data "${location}" is missing; put that file beside the model.`
      : `its external data "${location}" leads outside the model's own folder, which is refused; put the file itself there.`,
  );
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

const isWithin = (path: string, folder: string): boolean => path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
