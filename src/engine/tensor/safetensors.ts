/**
 * The safetensors file format (https://github.com/huggingface/safetensors): an 8-byte little-endian header length, a JSON header that
 * names each tensor's type, shape and byte range, and the raw little-endian values.
 */
import { allocate, bytesPerElement, type DataType, describe, type Tensor, tensor } from "./tensor.js";

/** A file that is not valid safetensors, or tensors that the format cannot hold. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
}

export interface Safetensors {
  /** In the order of the header. */
  readonly tensors: Map<string, Tensor>;
  /** The header's `__metadata__`; empty when there is none. */
  readonly metadata: Record<string, string>;
}

/** The format's own limit: a longer header is an attack or a mistake. */
const longestHeader = 100_000_000;

const typeNames = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
} as const satisfies Record<string, DataType>;

const fileNames = new Map<DataType, string>(Object.entries(typeNames).map(([name, type]) => [type, name]));

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. BF16 becomes float32, which holds every bfloat16 value exactly. The tensors are copies: `bytes` may be
 * changed or dropped afterwards.
 *
 * @example const { tensors } = parseSafetensors(await readFile("weights.safetensors"))
 * @throws SafetensorsError when the file is cut short, its header is malformed, names repeat, or byte ranges overlap, leave gaps or
 *   disagree with shape and type.
 */
export function parseSafetensors(bytes: Uint8Array): Safetensors {
  if (bytes.length < 8) throw new SafetensorsError(`A safetensors file has at least 8 bytes, this one has ${bytes.length}.`);
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (headerLength > longestHeader) {
    throw new SafetensorsError(`The safetensors header claims ${headerLength} bytes; at most ${longestHeader} are allowed.`);
  }
  if (headerLength > bytes.length - 8) {
    throw new SafetensorsError(
      `The safetensors header claims ${headerLength} bytes, but only ${bytes.length - 8} follow: truncated file?`,
    );
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerLength));
  const body = bytes.subarray(8 + headerLength);

  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of header) {
    if (name === "__metadata__") metadata = checkMetadata(value);
    else entries.push(checkEntry(name, value));
  }
  checkLayout(entries, body.length);
  return { tensors: new Map(entries.map((e) => [e.name, decode(e, body)])), metadata };
}

/**
 * Writes tensors in the map's order. The same input gives the same bytes on every platform; the header is padded with spaces so that
 * the values start at a multiple of 8.
 *
 * @example await writeFile("weights.safetensors", writeSafetensors(new Map([["bias", tensor("float32", [2], [0, 1])]])))
 * @throws SafetensorsError when a tensor is named `__metadata__`.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let end = 0;
  for (const [name, t] of tensors) {
    if (name === "__metadata__") {
      throw new SafetensorsError(`A tensor cannot be named "__metadata__": safetensors keeps that name for itself; rename it.`);
    }
    const begin = end;
    end += t.data.byteLength;
    const entry = { dtype: fileNames.get(t.type), shape: t.shape, data_offsets: [begin, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const headerLength = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(text, 8);
  let at = 8 + headerLength;
  for (const t of tensors.values()) {
    file.set(new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength), at);
    at += t.data.byteLength;
  }
  return file;
}

function parseHeader(bytes: Uint8Array): [name: string, value: unknown][] {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch {
    throw new SafetensorsError("The safetensors header is not valid JSON: this is another kind of file, or it is damaged.");
  }
  if (!isRecord(parsed)) throw new SafetensorsError("The safetensors header is not a JSON object.");
  const seen = new Set<string>();
  for (const name of topLevelKeys(text)) {
    if (seen.has(name)) throw new SafetensorsError(`The safetensors header names "${name}" twice.`);
    seen.add(name);
  }
  return Array.from(seen, (name) => [name, parsed[name]]);
}

/** The keys of a valid JSON object as written: `JSON.parse` alone drops repeated ones and moves those that look like numbers. */
function topLevelKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let candidate = "";
  for (let i = 0; i < json.length; i++) {
    const c = json[i]!;
    if (c === '"') {
      const start = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === "\\") i++;
      if (depth === 1) candidate = json.slice(start, i + 1);
    } else if (c === ":" && depth === 1) keys.push(JSON.parse(candidate));
    else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
  }
  return keys;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((d) => Number.isSafeInteger(d) && d >= 0);
}

function checkMetadata(value: unknown): Record<string, string> {
  if (!isRecord(value) || !Object.values(value).every((v) => typeof v === "string")) {
    throw new SafetensorsError("The safetensors header's __metadata__ must map strings to strings.");
  }
  return value as Record<string, string>;
}

function checkEntry(name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (typeof dtype !== "string" || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    throw new SafetensorsError(
      `The safetensors header's entry "${name}" needs a dtype, a shape and two data_offsets of whole numbers.`,
    );
  }
  if (dtype !== "BF16" && !Object.hasOwn(typeNames, dtype)) {
    const known = [...Object.keys(typeNames), "BF16"].join(", ");
    throw new SafetensorsError(`Tensor "${name}" has type ${dtype}, which is not supported; convert it to one of ${known}.`);
  }
  const [begin, end] = offsets as [number, number];
  const width = dtype === "BF16" ? 2 : bytesPerElement(typeNames[dtype as keyof typeof typeNames]);
  // Doubles are exact here: a product beyond 2^53 (infinite, or NaN when multiplied by 0) equals no byte count inside a file.
  const size = shape.reduce((product, d) => product * d, width);
  if (end - begin !== size) {
    throw new SafetensorsError(
      `Tensor "${name}" is ${dtype}[${shape.join(", ")}], ${size} bytes, but its data_offsets [${begin}, ${end}] span ${end - begin}.`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** The format demands that the tensors fill the data section without gap or overlap, so that nothing can hide in it. */
function checkLayout(entries: readonly Entry[], length: number): void {
  let at = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (end > length) {
      throw new SafetensorsError(
        `Tensor "${name}" ends at byte ${end} of the data, but there are only ${length}: truncated file?`,
      );
    }
    if (begin !== at) {
      const fault = begin < at ? "overlaps the tensor before it" : `leaves a gap of ${begin - at} bytes before it`;
      throw new SafetensorsError(`Tensor "${name}" at data_offsets [${begin}, ${end}] ${fault}; write the file anew.`);
    }
    at = end;
  }
  if (at !== length)
    throw new SafetensorsError(`${length - at} bytes follow the last tensor; the file is damaged, write it anew.`);
}

function decode({ name, dtype, shape, begin, end }: Entry, body: Uint8Array): Tensor {
  const raw = body.subarray(begin, end);
  if (dtype === "BF16") {
    const bits = new Uint32Array(raw.length / 2);
    for (let i = 0; i < bits.length; i++) bits[i] = ((raw[2 * i + 1]! << 24) | (raw[2 * i]! << 16)) >>> 0;
    return tensor("float32", shape, new Float32Array(bits.buffer));
  }
  const type: DataType = typeNames[dtype as keyof typeof typeNames];
  if (type === "bool" && raw.some((v) => v > 1)) {
    throw new SafetensorsError(`Tensor "${name}", ${describe({ type, shape })}, has values other than 0 and 1.`);
  }
  // A copy, because a typed array must start at a multiple of its element size and a file's tensors need not.
  const data = allocate(type, raw.length / bytesPerElement(type));
  new Uint8Array(data.buffer).set(raw);
  return tensor(type, shape, data);
}
