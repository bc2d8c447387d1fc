/**
 * Reading of PyTorch checkpoints (`torch.save` of a state dict, or of a dict that holds one). Since version 1.6 PyTorch writes a zip archive:
 * `<name>/data.pkl` is a pickle in which each tensor refers to a storage, and `<name>/data/<key>` are the storages' raw values. Nothing in the
 * file is ever executed. (Layout: torch/serialization.py, torch/_utils.py of PyTorch.)
 */
import { CheckpointError } from "./error.js";
import { type PickleValue, unpickle } from "./pickle.js";
import { isLegacy, readLegacy } from "./pth-legacy.js";
import {
  malformed,
  materialise,
  mostExpansion,
  resolveGlobal,
  Storage,
  storageReference,
  TensorView,
  width,
} from "./pth-tensors.js";
import { type StateDict, stripPrefix } from "./state-dict.js";
import { readStoredZip } from "./zip.js";

export interface PthOptions {
  /** The state dict to read where the file holds several, for example "params_ema"; a list descends into nested dicts. */
  readonly key?: string | readonly string[];
  /** A prefix to drop from the names, for example "module.". */
  readonly stripPrefix?: string;
}

/**
 * Reads the state dict of a `.pth`, `.pt` or `.ckpt` file. A file that is itself a state dict, or that holds exactly one (under `params`,
 * `state_dict`, `model` or any other key), needs no key. Views, shared storages and non-contiguous tensors become contiguous copies,
 * bfloat16 becomes float32. Entries of the state dict that are no tensors are left out.
 *
 * @example const state = readPth(await readFile("NAFNet-GoPro-width32.pth"))
 * @throws CheckpointError for other formats (PyTorch's before 0.1.10, TorchScript), big-endian files, names outside a fixed list, damaged or
 *   hostile files, and when the state dict is missing or ambiguous.
 */
export function readPth(bytes: Uint8Array, options: PthOptions = {}): StateDict {
  const value = isLegacy(bytes) ? readLegacy(bytes) : readZip(bytes);
  const state = materialise(chooseStateDict(value, options.key), mostExpansion * bytes.length);
  return options.stripPrefix === undefined ? state : stripPrefix(state, options.stripPrefix);
}

function readZip(bytes: Uint8Array): PickleValue {
  refuseOtherFormats(bytes);
  const entries = readStoredZip(bytes);
  const pickleName = [...entries.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickleName === undefined)
    throw new CheckpointError("This zip archive holds no data.pkl, so it is not a PyTorch checkpoint.");
  const root = pickleName.slice(0, -"data.pkl".length);
  if (entries.has(`${root}constants.pkl`)) {
    throw new CheckpointError("This is a TorchScript program; save its weights with torch.save(model.state_dict(), path).");
  }
  const byteOrder = entries.get(`${root}byteorder`);
  if (byteOrder && new TextDecoder().decode(byteOrder()).trim() !== "little") {
    throw new CheckpointError("This checkpoint is big-endian; save it again with PyTorch on a little-endian machine.");
  }
  return unpickle(entries.get(pickleName)!(), {
    global: resolveGlobal,
    persistent: (id) => {
      const { type, key, length } = storageReference(id);
      const data = entries.get(`${root}data/${key}`)?.();
      if (!data) throw malformed(`storage "${key}", but no data for it`);
      if (data.length < length * width(type))
        throw malformed(`storage "${key}" of ${length} ${type} values, but only ${data.length} bytes for it`);
      return new Storage(type, length, data);
    },
  });
}

function refuseOtherFormats(bytes: Uint8Array): void {
  const starts = (...signature: number[]) => signature.every((v, i) => bytes[i] === v);
  if (starts(0x50, 0x4b)) return;
  const again = 'convert it in Python: torch.save(torch.load(path, map_location="cpu"), path), with PyTorch 1.6 or newer';
  if (new TextDecoder().decode(bytes.subarray(257, 262)) === "ustar") {
    throw new CheckpointError(`This checkpoint has PyTorch's tar format from before version 0.1.10; ${again}.`);
  }
  throw new CheckpointError(
    "This is not a PyTorch checkpoint: such a file is a zip archive and starts with the letters PK, or, before PyTorch 1.6, with a pickled magic number.",
  );
}

function chooseStateDict(value: PickleValue, key: PthOptions["key"]): Map<PickleValue, PickleValue> {
  if (key !== undefined) {
    let inner: PickleValue | undefined = value;
    for (const k of typeof key === "string" ? [key] : key) inner = inner instanceof Map ? inner.get(k) : undefined;
    if (isStateDict(inner)) return inner;
    throw new CheckpointError(
      `The checkpoint holds no state dict under ${JSON.stringify(key)}; its top-level keys are ${keysOf(value)}.`,
    );
  }
  const found = value instanceof Map ? [...value].filter(([, inner]) => isStateDict(inner)) : [];
  if (found.length > 1) {
    const names = found.map(([k]) => `"${String(k)}"`).join(", ");
    throw new CheckpointError(`The checkpoint holds several state dicts, ${names}; say which with the key.`);
  }
  if (found[0]) return found[0][1] as Map<PickleValue, PickleValue>;
  if (isStateDict(value)) return value;
  const content = value instanceof Map ? `its top-level keys are ${keysOf(value)}` : `it is ${kindOf(value)}`;
  throw new CheckpointError(`The checkpoint holds no state dict; ${content}.`);
}

function kindOf(value: PickleValue): string {
  if (value instanceof TensorView) return "a single tensor";
  return Array.isArray(value) ? "a list" : "something else";
}

function isStateDict(value: PickleValue | undefined): value is Map<PickleValue, PickleValue> {
  if (!(value instanceof Map)) return false;
  return [...value.values()].some((v) => v instanceof TensorView) && [...value.keys()].every((k) => typeof k === "string");
}

function keysOf(value: PickleValue): string {
  if (!(value instanceof Map) || value.size === 0) return "none";
  const keys = [...value.keys()].filter((k) => typeof k === "string").map((k) => JSON.stringify(k.slice(0, 60)));
  return keys.length > 12 ? `${keys.slice(0, 12).join(", ")} and ${keys.length - 12} more` : keys.join(", ");
}
