/**
 * Reading of PyTorch checkpoints (`torch.save` of a state dict, or of a dict that holds one) in the zip format that PyTorch writes since
 * version 1.6: `<name>/data.pkl` is a pickle in which each tensor refers to a storage, and `<name>/data/<key>` are the storages' raw
 * values. Nothing in the file is ever executed. (Layout: torch/serialization.py, torch/_utils.py of PyTorch.)
 */
import { allocate, bytesPerElement, type DataType, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { CheckpointError } from "./error.js";
import { PickleGlobal, PickleObject, type PickleValue, unpickle } from "./pickle.js";
import { type StateDict, stripPrefix } from "./state-dict.js";
import { readStoredZip } from "./zip.js";

export interface PthOptions {
  /** The state dict to read where the file holds several, for example "params_ema"; a list descends into nested dicts. */
  readonly key?: string | readonly string[];
  /** A prefix to drop from the names, for example "module.". */
  readonly stripPrefix?: string;
}

/** Views may repeat a storage's values (`expand`), so a small file can ask for much memory: at most this many times its own size. */
const mostExpansion = 16;
const mostDimensions = 64;

/** PyTorch's storage classes; bfloat16 has no type of ours and widens exactly to float32. */
const storageTypes: Readonly<Record<string, DataType | "bfloat16">> = {
  "torch.FloatStorage": "float32",
  "torch.DoubleStorage": "float64",
  "torch.HalfStorage": "float16",
  "torch.BFloat16Storage": "bfloat16",
  "torch.LongStorage": "int64",
  "torch.IntStorage": "int32",
  "torch.ShortStorage": "int16",
  "torch.CharStorage": "int8",
  "torch.ByteStorage": "uint8",
  "torch.BoolStorage": "bool",
};

/** Values beside the tensors that checkpoints often hold. They are accepted and stay out of reach: nothing here needs them. */
const inert = new Set([
  "torch.Size",
  "torch.device",
  ...["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"].map((t) => `torch.${t}`),
  "numpy.dtype",
  "numpy.ndarray",
  ...["numpy.core", "numpy._core"].flatMap((m) => [`${m}.multiarray.scalar`, `${m}.multiarray._reconstruct`]),
  "_codecs.encode",
  "builtins.set",
  "__builtin__.set",
  "collections.Counter",
  "argparse.Namespace",
]);

class Inert extends PickleObject {
  readonly kind = "inert";
}

class Storage extends PickleObject {
  readonly kind = "storage";
  constructor(
    readonly type: DataType | "bfloat16",
    readonly bytes: Uint8Array,
    readonly length: number,
  ) {
    super();
  }
}

/** A tensor as the pickle describes it; its values are read only when its state dict is the one asked for. */
class TensorView extends PickleObject {
  readonly kind = "tensor";
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

/**
 * Reads the state dict of a `.pth`, `.pt` or `.ckpt` file. A file that is itself a state dict, or that holds exactly one (under `params`,
 * `state_dict`, `model` or any other key), needs no key. Views, shared storages and non-contiguous tensors become contiguous copies,
 * bfloat16 becomes float32. Entries of the state dict that are no tensors are left out.
 *
 * @example const state = readPth(await readFile("NAFNet-GoPro-width32.pth"))
 * @throws CheckpointError for other formats (PyTorch's before 1.6, TorchScript), big-endian files, names outside a fixed list, damaged or
 *   hostile files, and when the state dict is missing or ambiguous.
 */
export function readPth(bytes: Uint8Array, options: PthOptions = {}): StateDict {
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
  const value = unpickle(entries.get(pickleName)!(), {
    global: resolveGlobal,
    persistent: (id) => resolveStorage(id, root, entries),
  });
  const state = materialise(chooseStateDict(value, options.key), mostExpansion * bytes.length);
  return options.stripPrefix === undefined ? state : stripPrefix(state, options.stripPrefix);
}

function refuseOtherFormats(bytes: Uint8Array): void {
  const starts = (...signature: number[]) => signature.every((v, i) => bytes[i] === v);
  if (starts(0x50, 0x4b)) return;
  const again = 'convert it in Python: torch.save(torch.load(path, map_location="cpu"), path), with PyTorch 1.6 or newer';
  // The pickled magic number 0x1950a86a20f9469cfc6c opens the format of PyTorch 0.1.10 to 1.5.
  if (starts(0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc)) {
    throw new CheckpointError(`This checkpoint has PyTorch's format from before version 1.6; ${again}.`);
  }
  if (new TextDecoder().decode(bytes.subarray(257, 262)) === "ustar") {
    throw new CheckpointError(`This checkpoint has PyTorch's tar format from before version 0.1.10; ${again}.`);
  }
  throw new CheckpointError("This is not a PyTorch checkpoint: such a file is a zip archive and starts with the letters PK.");
}

function resolveGlobal(name: string): PickleGlobal {
  switch (name) {
    case "collections.OrderedDict":
      return new PickleGlobal(name, (args) => {
        if (args.length > 0) throw malformed("an OrderedDict with arguments");
        return new Map();
      });
    case "torch._utils._rebuild_tensor_v2":
      return new PickleGlobal(name, rebuildTensor);
    case "torch._utils._rebuild_parameter":
    case "torch._utils._rebuild_parameter_with_state":
      return new PickleGlobal(name, ([data]) => {
        if (!(data instanceof TensorView)) throw malformed("a parameter without a tensor");
        return data;
      });
  }
  if (Object.hasOwn(storageTypes, name)) {
    return new PickleGlobal(name, () => {
      throw malformed(`a call of ${name}`);
    });
  }
  if (inert.has(name)) return new PickleGlobal(name, () => new Inert());
  throw new CheckpointError(
    `The checkpoint refers to "${name}", which a state dict does not need and which is never run; save model.state_dict() alone.`,
  );
}

/** A persistent id is ("storage", storage class, key, device, number of elements). */
function resolveStorage(id: PickleValue, root: string, entries: ReadonlyMap<string, () => Uint8Array>): Storage {
  const [tag, type, key, , length] = Array.isArray(id) ? id : [];
  if (tag !== "storage" || !(type instanceof PickleGlobal) || typeof key !== "string" || !isCount(length)) {
    throw malformed("a storage reference of an unknown kind");
  }
  const dtype = Object.hasOwn(storageTypes, type.name) ? storageTypes[type.name] : undefined;
  if (!dtype) throw new CheckpointError(`The checkpoint has a storage of type "${type.name}", which is not supported.`);
  const bytes = entries.get(`${root}data/${key}`)?.();
  if (!bytes) throw malformed(`storage "${key}", but no data for it`);
  if (bytes.length < length * width(dtype)) {
    throw malformed(`storage "${key}" of ${length} ${dtype} values, but only ${bytes.length} bytes for it`);
  }
  return new Storage(dtype, bytes, length);
}

/** `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`; offset and strides count elements. */
function rebuildTensor([storage, offset, shape, strides]: readonly PickleValue[]): TensorView {
  if (!(storage instanceof Storage) || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) {
    throw malformed("a tensor whose offset, shape or strides are not whole numbers");
  }
  if (shape.length !== strides.length || shape.length > mostDimensions) throw malformed(`a tensor of ${shape.length} dimensions`);
  if (!Number.isSafeInteger(sizeOf(shape))) throw malformed(`a tensor of shape [${shape.join(", ")}], too large for any memory`);
  const last = shape.reduce((at, d, i) => at + (d - 1) * strides[i]!, offset);
  if (!shape.includes(0) && last >= storage.length) {
    throw malformed(`a tensor of shape [${shape.join(", ")}] that reaches value ${last} of a storage of ${storage.length}`);
  }
  return new TensorView(storage, offset, shape, strides);
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

function materialise(dict: ReadonlyMap<PickleValue, PickleValue>, mostBytes: number): StateDict {
  const state = new Map<string, Tensor>();
  const done = new Map<TensorView, Tensor>();
  let total = 0;
  for (const [name, view] of dict) {
    if (typeof name !== "string" || !(view instanceof TensorView)) continue;
    let t = done.get(view);
    if (!t) {
      total += sizeOf(view.shape) * Math.max(width(view.storage.type), view.storage.type === "bfloat16" ? 4 : 1);
      if (total > mostBytes) {
        throw new CheckpointError(
          `The checkpoint's tensors would fill more than ${mostExpansion} times the file's size at "${name}"; save contiguous tensors.`,
        );
      }
      t = contiguous(view);
      done.set(view, t);
    }
    state.set(name, t);
  }
  return state;
}

/** Copies a strided view into row-major order, byte by byte group, whatever the file's alignment. */
function contiguous({ storage, offset, shape, strides }: TensorView): Tensor {
  const size = sizeOf(shape);
  const bytes = width(storage.type);
  const packed = new Uint8Array(size * bytes);
  const rowMajor = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
  if (size > 0 && shape.every((d, i) => d === 1 || strides[i] === rowMajor[i])) {
    packed.set(storage.bytes.subarray(offset * bytes, (offset + size) * bytes));
  } else {
    const index = shape.map(() => 0);
    let from = offset;
    for (let to = 0; to < size; to++) {
      for (let b = 0; b < bytes; b++) packed[to * bytes + b] = storage.bytes[from * bytes + b]!;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += strides[axis]!;
        if (++index[axis]! < shape[axis]!) break;
        from -= shape[axis]! * strides[axis]!;
        index[axis] = 0;
      }
    }
  }
  if (storage.type === "bfloat16") {
    // A bfloat16 is the upper half of a float32.
    const halves = new Uint16Array(packed.buffer);
    const words = Uint32Array.from(halves, (half) => half << 16);
    return tensor("float32", shape, new Float32Array(words.buffer));
  }
  if (storage.type === "bool") for (let i = 0; i < size; i++) packed[i] = packed[i] === 0 ? 0 : 1;
  const data = allocate(storage.type, size);
  new Uint8Array(data.buffer).set(packed);
  return tensor(storage.type, shape, data);
}

function width(type: DataType | "bfloat16"): number {
  return type === "bfloat16" ? 2 : bytesPerElement(type);
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

function malformed(what: string): CheckpointError {
  return new CheckpointError(`The checkpoint is damaged: it has ${what}.`);
}
