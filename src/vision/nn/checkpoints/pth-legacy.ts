/**
 * The container of PyTorch 0.1.10 to 1.5: pickles one after the other (a magic number, a version, facts about the machine, the object itself, the keys
 * of its storages), then for each key the number of its values and the values. (torch/serialization.py: `_legacy_save`.)
 */
import { CheckpointError } from "./error.js";
import { type PickleHost, type PickleValue, unpickleNext } from "./pickle.js";
import { isCount, malformed, resolveGlobal, Storage, storageReference, width } from "./pth-tensors.js";

/** 0x1950a86a20f9469cfc6c as protocol 2 writes it. */
const opening = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const version = 1001;

export const isLegacy = (bytes: Uint8Array): boolean => opening.every((v, i) => bytes[i] === v);

/** A storage that is a part of another: `length` values from `offset`. */
interface Part {
  readonly storage: Storage;
  readonly of: string;
  readonly offset: number;
}

/**
 * The object that the file holds, its storages filled in.
 *
 * @throws CheckpointError for a version or byte order that is not known, and for damaged or hostile files.
 */
export function readLegacy(bytes: Uint8Array): PickleValue {
  const storages = new Map<string, Storage>();
  const parts: Part[] = [];
  const host: PickleHost = {
    global: resolveGlobal,
    persistent: (id) => {
      const { type, key, length, rest } = storageReference(id);
      const whole = storages.get(key) ?? new Storage(type, length);
      if (whole.type !== type) throw malformed(`storage "${key}" as both ${whole.type} and ${type}`);
      storages.set(key, whole);
      const [view] = rest;
      if (view === undefined || view === null) return whole;
      // (key of the part, first value, number of values)
      const [, offset, size] = Array.isArray(view) ? view : [];
      if (!isCount(offset) || !isCount(size) || offset + size > length)
        throw malformed(`a part of storage "${key}" beyond its end`);
      const storage = new Storage(type, size);
      parts.push({ storage, of: key, offset });
      return storage;
    },
  };
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = unpickleNext(bytes.subarray(at), host);
    at += end;
    return value;
  };
  next();
  const found = next();
  if (found !== version)
    throw new CheckpointError(`The checkpoint is of version ${String(found)} of PyTorch's old format; ${version} is known.`);
  const machine = next();
  if (machine instanceof Map && machine.get("little_endian") === false)
    throw new CheckpointError("This checkpoint is big-endian; save it again with PyTorch on a little-endian machine.");
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw malformed("no list of its storages");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) throw malformed(`data for a storage ${JSON.stringify(key)} that nothing refers to`);
    const size = storage.length * width(storage.type);
    if (at + 8 + size > bytes.length || view.getBigInt64(at, true) !== BigInt(storage.length))
      throw malformed(`storage "${String(key)}" of ${storage.length} ${storage.type} values, but not as many values for it`);
    storage.bytes = bytes.subarray(at + 8, at + 8 + size);
    at += 8 + size;
  }
  for (const [key, storage] of storages)
    if (storage.bytes.length < storage.length * width(storage.type)) throw malformed(`storage "${key}", but no data for it`);
  for (const { storage, of, offset } of parts) {
    const bytesOf = width(storage.type);
    storage.bytes = storages.get(of)!.bytes.subarray(offset * bytesOf, (offset + storage.length) * bytesOf);
  }
  return value;
}
