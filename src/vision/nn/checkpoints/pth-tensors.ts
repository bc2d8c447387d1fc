/** The tensors of a PyTorch checkpoint, whatever container they come in. Nothing in the file is ever executed. */
import { allocate, bytesPerElement, type DataType, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { CheckpointError } from "./error.js";
import { PickleGlobal, PickleObject, type PickleValue } from "./pickle.js";
import type { StateDict } from "./state-dict.js";

/** Views may repeat a storage's values (`expand`), so a small file can ask for much memory: at most this many times its own size. */
export const mostExpansion = 16;
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

/** The values that tensors are views of. A container that holds them behind the pickle fills in the bytes when it comes to them. */
export class Storage extends PickleObject {
  readonly kind = "storage";
  constructor(
    readonly type: DataType | "bfloat16",
    readonly length: number,
    public bytes: Uint8Array = new Uint8Array(),
  ) {
    super();
  }
}

/** A tensor as the pickle describes it; its values are read only when its state dict is the one asked for. */
export class TensorView extends PickleObject {
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

/** What the names in a checkpoint's pickle stand for. @throws CheckpointError for every other name. */
export function resolveGlobal(name: string): PickleGlobal {
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

/** A persistent id is ("storage", storage class, key, device, number of elements), and more in some containers. */
export interface StorageReference {
  readonly type: DataType | "bfloat16";
  readonly key: string;
  readonly length: number;
  /** What follows. */
  readonly rest: readonly PickleValue[];
}

export function storageReference(id: PickleValue): StorageReference {
  const [tag, type, key, , length, ...rest] = Array.isArray(id) ? id : [];
  if (tag !== "storage" || !(type instanceof PickleGlobal) || typeof key !== "string" || !isCount(length)) {
    throw malformed("a storage reference of an unknown kind");
  }
  const dtype = Object.hasOwn(storageTypes, type.name) ? storageTypes[type.name] : undefined;
  if (!dtype) throw new CheckpointError(`The checkpoint has a storage of type "${type.name}", which is not supported.`);
  return { type: dtype, key, length, rest };
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

/** The tensors of a state dict, contiguous. @param mostBytes what they may fill in all. */
export function materialise(dict: ReadonlyMap<PickleValue, PickleValue>, mostBytes: number): StateDict {
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

export function width(type: DataType | "bfloat16"): number {
  return type === "bfloat16" ? 2 : bytesPerElement(type);
}

export function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

export function malformed(what: string): CheckpointError {
  return new CheckpointError(`The checkpoint is damaged: it has ${what}.`);
}
