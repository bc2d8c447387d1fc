import protobuf from "protobufjs/minimal.js";
import { BackwardWriter, floatBytes } from "./backward-writer.js";
import { type Chunks, join } from "./chunks.js";
import { ModelError } from "./model.js";
import { type Field, type MessageName, type Messages, messages } from "./schema.js";

const { Reader } = protobuf;
type Reader = protobuf.Reader;

/** What decoding may use at most; `messages` bounds the objects made, since an empty message costs two bytes in a file. */
export interface WireLimits {
  readonly messages: number;
  readonly depth: number;
  /** Bytes of typed tensor fields (`float_data` and the like) once unpacked: a packed 64-bit zero is one byte in the file. */
  readonly unpackedBytes: number;
}

/**
 * Decodes one message. Byte fields are views into `bytes`; unknown fields are skipped. The walk is driven by the table in schema.ts
 * rather than by generated code, so that it also works on pages whose content security policy forbids `eval`.
 *
 * @throws ModelError when the bytes are not a whole protobuf message, or go beyond a limit.
 */
export function decode<M extends MessageName>(bytes: Uint8Array, message: M, limits: WireLimits): Messages[M] {
  // A plain view, for protobufjs reads Node's Buffer by methods that other Uint8Arrays lack.
  const reader = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const left = { messages: limits.messages, unpackedBytes: limits.unpackedBytes };
  try {
    return decodeMessage(reader, message, reader.len, limits.depth, left) as Messages[M];
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      `This is not a whole ONNX file: it is cut short, damaged or of another format (near byte ${reader.pos} of ${reader.len}); ` +
        "fetch or export it again.",
    );
  }
}

type Left = { messages: number; unpackedBytes: number };

function decodeMessage(reader: Reader, message: MessageName, end: number, depth: number, left: Left): Record<string, unknown> {
  if (depth === 0)
    throw new ModelError("The model nests graphs or messages too deeply to be read; simplify it before the export.");
  if (--left.messages < 0) throw new ModelError("The model file holds more entries than the reading limit allows.");
  const fields = messages[message];
  const result: Record<string, unknown> = {};
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = fields[tag >>> 3];
    if (tag >>> 3 === 0) throw new RangeError("field number 0");
    if (field === undefined || !readField(reader, field, tag & 7, depth, left, result)) reader.skipType(tag & 7, 0, tag >>> 3);
    if (reader.pos > end) throw new RangeError("field beyond its message");
  }
  return result;
}

/** Reads a field of the wire type that its type asks for; false where it has another one (an unknown field to protobuf). */
function readField(
  reader: Reader,
  field: Field,
  wire: number,
  depth: number,
  left: Left,
  into: Record<string, unknown>,
): boolean {
  const isPacked = wire === 2 && wireTypes[field.type] !== 2 && wireTypes[field.type] !== undefined;
  if (isPackedKind(field.type)) {
    if (!isPacked && wire !== wireTypes[field.type]) return false;
    const before = into[field.name] as PackedArray | undefined;
    into[field.name] = isPacked ? readPacked(reader, field.type, before, left) : readUnpacked(reader, field.type, before, left);
    return true;
  }
  if (isPacked && field.repeated) {
    const end = endOf(reader);
    const list = listOf(into, field.name);
    while (reader.pos < end) {
      if (--left.messages < 0) throw new ModelError("The model file holds more entries than the reading limit allows.");
      list.push(readScalar(reader, field.type));
    }
    return true;
  }
  if (wire !== (wireTypes[field.type] ?? 2)) return false;
  let value: unknown;
  if (field.type in messages) value = decodeMessage(reader, field.type as MessageName, endOf(reader), depth - 1, left);
  else {
    if (field.repeated && --left.messages < 0)
      throw new ModelError("The model file holds more entries than the reading limit allows.");
    value = readScalar(reader, field.type);
  }
  if (field.repeated) listOf(into, field.name).push(value);
  else into[field.name] = value;
  return true;
}

/** Wire type of one element: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. Messages are not listed: they are 2. */
const wireTypes: Readonly<Record<string, number | undefined>> = {
  int: 0,
  float: 5,
  string: 2,
  bytes: 2,
  packedFloat: 5,
  packedDouble: 1,
  packedInt32: 0,
  packedInt64: 0,
  packedUint64: 0,
};

function endOf(reader: Reader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError("length beyond the file");
  return end;
}

function listOf(record: Record<string, unknown>, name: string): unknown[] {
  const list = record[name];
  if (list !== undefined) return list as unknown[];
  const created: unknown[] = [];
  record[name] = created;
  return created;
}

function readScalar(reader: Reader, type: Field["type"]): unknown {
  switch (type) {
    case "int":
      return toNumber(reader.int64());
    case "float":
      return reader.float();
    case "string":
      return reader.string();
    case "bytes":
      return readBytes(reader);
    default:
      throw new RangeError(`no scalar ${type}`);
  }
}

function readBytes(reader: Reader): Uint8Array {
  const end = endOf(reader);
  const bytes = reader.buf.subarray(reader.pos, end);
  reader.pos = end;
  return bytes;
}

type PackedArray = Float32Array | Float64Array | Int32Array | BigInt64Array | BigUint64Array;
const packedKinds = {
  packedFloat: Float32Array,
  packedDouble: Float64Array,
  packedInt32: Int32Array,
  packedInt64: BigInt64Array,
  packedUint64: BigUint64Array,
} as const;
type PackedKind = keyof typeof packedKinds;

function isPackedKind(type: Field["type"]): type is PackedKind {
  return type in packedKinds;
}

/** Appends a packed field's elements to those already there; sized by counting, never by a claim. */
function readPacked(reader: Reader, kind: PackedKind, before: PackedArray | undefined, left: Left): PackedArray {
  const end = endOf(reader);
  const length = before?.length ?? 0;
  const result = extend(kind, before, countElements(reader, kind, end), left);
  for (let i = length; i < result.length; i++) result[i] = readPackedElement(reader, kind);
  if (reader.pos !== end) throw new RangeError("element beyond its field");
  return result;
}

/** The same for elements written one by one, each under its own tag: takes the whole run of them at once. */
function readUnpacked(reader: Reader, kind: PackedKind, before: PackedArray | undefined, left: Left): PackedArray {
  const tag = reader.buf[reader.pos - 1]!; // all packed kinds have field numbers below 16: one byte
  const run: (number | bigint)[] = [readPackedElement(reader, kind)];
  while (reader.pos < reader.len && reader.buf[reader.pos] === tag) {
    if (--left.messages < 0) throw new ModelError("The model file holds more entries than the reading limit allows.");
    reader.pos++;
    run.push(readPackedElement(reader, kind));
  }
  const result = extend(kind, before, run.length, left);
  for (const [i, value] of run.entries()) result[result.length - run.length + i] = value;
  return result;
}

function extend(kind: PackedKind, before: PackedArray | undefined, count: number, left: Left): PackedArray {
  const length = (before?.length ?? 0) + count;
  left.unpackedBytes -= length * packedKinds[kind].BYTES_PER_ELEMENT;
  if (left.unpackedBytes < 0) throw new ModelError("The model's tensors unpack to more bytes than the reading limit allows.");
  const result = new packedKinds[kind](length);
  if (before !== undefined) (result as Float32Array).set(before as Float32Array);
  return result;
}

function countElements(reader: Reader, kind: PackedKind, end: number): number {
  if (kind === "packedFloat" || kind === "packedDouble") {
    const size = packedKinds[kind].BYTES_PER_ELEMENT;
    if ((end - reader.pos) % size !== 0) throw new RangeError("torn element");
    return (end - reader.pos) / size;
  }
  let count = 0;
  for (let i = reader.pos; i < end; i++) if (reader.buf[i]! < 128) count++;
  return count;
}

function readPackedElement(reader: Reader, kind: PackedKind): number | bigint {
  switch (kind) {
    case "packedFloat":
      return reader.float();
    case "packedDouble":
      return reader.double();
    case "packedInt32":
      return reader.int32();
    case "packedInt64":
      return toBigInt(reader.int64());
    case "packedUint64":
      return BigInt.asUintN(64, toBigInt(reader.uint64()));
  }
}

function toNumber(value: number | { low: number; high: number }): number {
  return typeof value === "number" ? value : value.high * 2 ** 32 + (value.low >>> 0);
}

function toBigInt(value: number | { low: number; high: number }): bigint {
  if (typeof value === "number") return BigInt(value);
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}

/** Encodes one message; absent and empty fields are left out. */
export function encode<M extends MessageName>(message: M, value: Messages[M]): Uint8Array<ArrayBuffer> {
  return join(encodeChunks(message, value));
}

/** The same in chunks: long byte fields (weights) are the given arrays themselves. */
export function encodeChunks<M extends MessageName>(message: M, value: Messages[M]): Chunks {
  const writer = new BackwardWriter();
  encodeMessage(writer, message, value as Record<string, unknown>);
  return writer.finish();
}

/** From the last field to the first. */
function encodeMessage(writer: BackwardWriter, message: MessageName, value: Record<string, unknown>): void {
  const fields = fieldsOf.get(message)!;
  for (let f = fields.length - 1; f >= 0; f--) {
    const [number, field] = fields[f]!;
    const content = value[field.name];
    if (content === undefined) continue;
    if (!field.repeated) encodeField(writer, number, field, content);
    else
      for (let i = (content as unknown[]).length - 1; i >= 0; i--) encodeField(writer, number, field, (content as unknown[])[i]);
  }
}

const fieldsOf = new Map(
  Object.entries(messages).map(([name, fields]) => [
    name,
    Object.entries(fields).map(([n, field]) => [Number(n), field] as const),
  ]),
);

function encodeField(writer: BackwardWriter, number: number, { type }: Field, value: unknown): void {
  const end = writer.length;
  const wire = isPackedKind(type) ? 2 : (wireTypes[type] ?? 2);
  if (isPackedKind(type)) {
    const array = value as PackedArray;
    for (let i = array.length - 1; i >= 0; i--) encodeElement(writer, type, array[i]!);
  } else if (type in messages) encodeMessage(writer, type as MessageName, value as Record<string, unknown>);
  else if (type === "string") writer.text(value as string);
  else if (type === "bytes") writer.bytes(value as Uint8Array);
  else encodeElement(writer, type, value as number);
  if (wire === 2) writer.varint(writer.length - end);
  writer.varint((number << 3) | wire);
}

function encodeElement(writer: BackwardWriter, type: Field["type"], value: number | bigint): void {
  if (type === "float" || type === "packedFloat") writer.bytes(floatBytes(Number(value), 32));
  else if (type === "packedDouble") writer.bytes(floatBytes(Number(value), 64));
  else writer.varint(saturated(value));
}

/** Numbers beyond 64 bits are those that were rounded on reading, such as INT64_MAX as "to the end" of a Slice. */
function saturated(value: number | bigint): number | bigint {
  if (typeof value === "bigint") return value;
  return value >= 2 ** 63 ? 2n ** 63n - 1n : value <= -(2 ** 63) ? -(2n ** 63n) : value;
}
