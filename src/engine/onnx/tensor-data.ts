import {
  allocate,
  bytesPerElement,
  type DataOf,
  type DataType,
  dataTypes,
  describe,
  type Tensor,
  tensor,
  viewOf,
} from "../tensor/tensor.js";
import { bytesOf } from "./chunks.js";
import { ModelError } from "./model.js";
import { elementTypes, type Messages } from "./schema.js";

type TensorMessage = Messages["Tensor"];

/**
 * Yields bytes of an external file. `length` is what the tensor needs; returning another number of bytes is an error. Where they are aligned
 * as the element type asks, the model takes the array over instead of copying it: do not change it afterwards.
 */
export type ExternalData = (location: string, offset: number, length: number) => Uint8Array;

/** Counts down the bytes that tensors may still take: what the file itself holds, and what lies outside it. */
export interface ByteBudget {
  inside: number;
  outside: number;
}

/**
 * The tensor type that stands for an element type of the file: bfloat16 is widened to float32, 4-bit integers to 8-bit ones, for
 * neither has a typed array. Undefined where there is none (strings, complex numbers, 8-bit floats).
 */
export function dataTypeOf(elementType: number | undefined): DataType | undefined {
  const name = elementTypes[elementType ?? 0];
  if (name === "bfloat16") return "float32";
  if (name === "uint4") return "uint8";
  if (name === "int4") return "int8";
  return dataTypes.find((type) => type === name);
}

export function elementTypeName(elementType: number | undefined): string {
  return elementTypes[elementType ?? 0] ?? `number ${elementType}`;
}

/** Reads a tensor in any of the encodings of the format; `what` names it in errors, for example `Initializer "w"`. */
export function readTensor(message: TensorMessage, what: string, budget: ByteBudget, external: ExternalData | undefined): Tensor {
  const type = dataTypeOf(message.dataType);
  if (type === undefined) {
    throw new ModelError(
      `${what} has elements of type ${elementTypeName(message.dataType)}, which Faultline does not read; export it as float32.`,
    );
  }
  const shape = message.dims ?? [];
  const size = checkedSize(shape, what);
  const stored = elementTypes[message.dataType!] ?? "undefined";
  const narrow = stored === "int4" || stored === "uint4" ? { narrow: stored } : {};
  const storedBytes = storedSize(stored, type, size);
  if (message.dataLocation === 1) {
    spend(budget, "outside", size * bytesPerElement(type));
    return { type, shape, data: ownedData(readExternal(message, what, storedBytes, external), type, stored, size), ...narrow };
  }
  const raw = message.rawData;
  if (raw === undefined || raw.length === 0) {
    return { type, shape, data: readTypedFields(message, type, stored, size, { what, budget }), ...narrow };
  }
  if (raw.length !== storedBytes) {
    throw new ModelError(
      `${what} is declared as ${stored}[${shape.join(", ")}] (${storedBytes} bytes) but holds ${raw.length} bytes; the file is damaged.`,
    );
  }
  spend(budget, "inside", size * bytesPerElement(type));
  return { type, shape, data: fromBytes(raw, type, stored, size), ...narrow };
}

interface Context {
  readonly what: string;
  readonly budget: ByteBudget;
}

/** The number of elements, refused where a dimension is negative or the product is beyond what a number holds exactly. */
export function checkedSize(shape: readonly number[], what: string): number {
  let size = 1;
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0) throw new ModelError(`${what} has the impossible shape [${shape.join(", ")}].`);
    size *= d;
  }
  // A zero after a huge product is an empty tensor all the same.
  if (shape.includes(0)) return 0;
  if (!Number.isSafeInteger(size)) {
    throw new ModelError(`${what} has the shape [${shape.join(", ")}], which no memory holds; the file is damaged or hostile.`);
  }
  return size;
}

function storedSize(stored: string, type: DataType, size: number): number {
  if (stored === "bfloat16") return size * 2;
  if (stored === "int4" || stored === "uint4") return Math.ceil(size / 2);
  return size * bytesPerElement(type);
}

/** Takes bytes from the budget before they are allocated. */
export function spend(budget: ByteBudget, where: keyof ByteBudget, bytes: number): void {
  budget[where] -= bytes;
  if (budget[where] >= 0) return;
  throw new ModelError(
    where === "inside"
      ? "The tensors in the model's file take more than 2 GB once they are unpacked; keep them as external data, or use a smaller variant."
      : "The model's external data take more than the reading limit allows; use a smaller variant.",
  );
}

function readExternal(message: TensorMessage, what: string, bytes: number, external: ExternalData | undefined): Uint8Array {
  const entries = new Map(message.externalData?.map((pair) => [pair.key ?? "", pair.value ?? ""]));
  const location = entries.get("location") ?? "";
  checkLocation(location, what);
  const offset = Number(entries.get("offset") ?? 0);
  // a length of 0 says nothing, as ONNX Runtime reads it
  const stated = Number(entries.get("length") ?? 0);
  const length = stated === 0 ? bytes : stated;
  if (!Number.isSafeInteger(offset) || offset < 0 || length !== bytes) {
    throw new ModelError(
      `${what} takes ${bytes} bytes, but the model file points to ${entries.get("length") ?? bytes} bytes at ` +
        `${entries.get("offset") ?? 0} in "${location}"; export the model again.`,
    );
  }
  if (external === undefined) {
    throw new ModelError(
      `${what} lies in the external file "${location}", which was not given; pass that file along with the model.`,
    );
  }
  const data = external(location, offset, bytes);
  if (data.length !== bytes) {
    throw new ModelError(
      `${what} needs ${bytes} bytes at ${offset} of "${location}", but ${data.length} are there; the file is cut short.`,
    );
  }
  return data;
}

/** External data must lie in the model's own folder or below, for a model file is untrusted. Symbolic links are the file reader's. */
function checkLocation(location: string, what: string): void {
  const steps = location.split(/[/\\]/);
  const absolute = steps[0] === "" || /^[a-z]:/i.test(location);
  if (absolute || steps.includes("..") || location.includes("\0")) {
    throw new ModelError(
      `${what} points to external data at "${location}", outside the model's own folder; that is refused. Put the data beside the model.`,
    );
  }
}

/** The elements in an array that nothing else writes to: the array itself, where it holds them as they are and is aligned. */
function ownedData(raw: Uint8Array, type: DataType, stored: string, size: number): DataOf<DataType> {
  if (stored !== type || raw.byteOffset % bytesPerElement(type) !== 0) return fromBytes(raw, type, stored, size);
  return viewOf(type, raw, size);
}

function fromBytes(raw: Uint8Array, type: DataType, stored: string, size: number): DataOf<DataType> {
  if (stored === "int4" || stored === "uint4") return unpackNibbles(raw, type, size);
  // Copied, for typed arrays must be aligned and the model must not change with the caller's buffer. All targets are little-endian.
  if (stored === "bfloat16") {
    const halves = new Uint16Array(size);
    bytesOf(halves).set(raw);
    return widenBfloat16(halves, size);
  }
  const data = allocate(type, size);
  bytesOf(data).set(raw);
  return data;
}

/** Two elements a byte, the first in the low half. */
function unpackNibbles(bytes: ArrayLike<number>, type: DataType, size: number): DataOf<DataType> {
  const data = allocate(type, size);
  for (let i = 0; i < size; i++) {
    const nibble = (bytes[i >> 1]! >> ((i & 1) * 4)) & 15;
    data[i] = type === "int8" && nibble > 7 ? nibble - 16 : nibble;
  }
  return data;
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(halves: ArrayLike<number>, size: number): Float32Array {
  const bits = new Uint32Array(size);
  for (let i = 0; i < size; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}

function readTypedFields(
  message: TensorMessage,
  type: DataType,
  stored: string,
  size: number,
  { what, budget }: Context,
): DataOf<DataType> {
  const field = typedField(message, type, stored);
  const expected = stored === "int4" || stored === "uint4" ? Math.ceil(size / 2) : size;
  if ((field?.length ?? 0) !== expected) {
    throw new ModelError(
      `${what} is declared as ${describe({ type, shape: message.dims ?? [] })} (${size} elements) but holds ${field?.length ?? 0}; ` +
        "the file is damaged.",
    );
  }
  spend(budget, "inside", size * bytesPerElement(type));
  if (field === undefined) return allocate(type, 0);
  if (stored === "int4" || stored === "uint4") return unpackNibbles(field as Int32Array, type, size);
  if (stored === "bfloat16") return widenBfloat16(field as Int32Array, size);
  const data = allocate(type, size);
  const wide = type === "int64" || type === "uint64";
  for (let i = 0; i < size; i++) data[i] = wide ? field[i]! : Number(field[i]);
  return data;
}

/** Which field holds which element type, after the comments of onnx.proto. */
function typedField(message: TensorMessage, type: DataType, stored: string) {
  if (stored === "bfloat16") return message.int32Data;
  switch (type) {
    case "float32":
      return message.floatData;
    case "float64":
      return message.doubleData;
    case "int64":
      return message.int64Data;
    case "uint32":
    case "uint64":
      return message.uint64Data;
    default:
      return message.int32Data;
  }
}

/** A sparse tensor in COO form made dense; indices are linear `[NNZ]` or per axis `[NNZ, rank]`. */
export function readSparseTensor(
  message: Messages["SparseTensor"],
  what: string,
  budget: ByteBudget,
  external: ExternalData | undefined,
): Tensor {
  const values = readTensor(message.values ?? {}, what, budget, external);
  const indices = readTensor(message.indices ?? {}, `The index of ${what}`, budget, external);
  const shape = message.dims ?? [];
  const size = checkedSize(shape, what);
  spend(budget, "inside", size * bytesPerElement(values.type));
  const data = allocate(values.type, size);
  const count = values.data.length;
  const rank = indices.shape.length === 2 ? shape.length : 1;
  if (indices.type !== "int64" || indices.data.length !== count * rank) {
    throw new ModelError(`${what} is sparse with ${count} values but ${indices.data.length} indices; the file is damaged.`);
  }
  for (let i = 0; i < count; i++) {
    let at = 0;
    for (let axis = 0; axis < rank; axis++) {
      const extent = rank === 1 ? size : shape[axis]!;
      const index = Number(indices.data[i * rank + axis]);
      if (!(index >= 0 && index < extent))
        throw new ModelError(`${what} is sparse with an index outside its shape; the file is damaged.`);
      at = at * extent + index;
    }
    data[at] = values.data[i]!;
  }
  return { type: values.type, shape, data };
}

/** The message of a tensor, with its elements as raw little-endian bytes. */
export function tensorMessage(t: Tensor, name: string): TensorMessage {
  const { data } = t;
  return {
    name,
    dims: [...t.shape],
    dataType: elementTypes.indexOf(t.type),
    rawData: bytesOf(data),
  };
}

/** A scalar of the given type. */
export function scalar(type: DataType, value: number): Tensor {
  return tensor(type, [], [value]);
}
