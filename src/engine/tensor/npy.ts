/**
 * NumPy's file formats (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a `.npy` file is one array, a magic string, a
 * header that reads like a Python dictionary, and the raw values; a `.npz` file is a ZIP archive of such files, one for each name.
 */
import { unzipSync, zipSync } from "fflate";
import { allocate, bytesPerElement, type DataType, describe, sizeOf, type Tensor, tensor } from "./tensor.js";

/** A file that is not sound NumPy, or arrays that a `Tensor` cannot hold: one sentence. */
export class NpyError extends Error {
  override readonly name = "NpyError";
}

const typeNames = {
  f8: "float64",
  f4: "float32",
  f2: "float16",
  i8: "int64",
  i4: "int32",
  i2: "int16",
  i1: "int8",
  u8: "uint64",
  u4: "uint32",
  u2: "uint16",
  u1: "uint8",
  b1: "bool",
} as const satisfies Record<string, DataType>;

const fileNames = new Map<DataType, string>(Object.entries(typeNames).map(([name, type]) => [type, name]));

const magic = [0x93, ...new TextEncoder().encode("NUMPY")];

/**
 * Reads a `.npy` file, as `numpy.save` writes it: numbers and booleans of either byte order, in C or in Fortran order (which is put in C order).
 * The tensor is a copy: `bytes` may be changed or dropped afterwards.
 *
 * @param where what the bytes are, for messages.
 * @throws NpyError when the file is cut short or damaged, or holds text, objects, records or complex numbers.
 * @example const images = parseNpy(await readFile("images.npy")) // float32[8, 3, 224, 224]
 */
export function parseNpy(bytes: Uint8Array, where = "The .npy file"): Tensor {
  const fail = (what: string): never => {
    throw new NpyError(`${where} ${what}`);
  };
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte))
    fail(`does not begin as .npy files do; write it with numpy.save.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6]!;
  if (major < 1 || major > 3) fail(`is of format version ${major}; versions 1 to 3 are read.`);
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) fail("ends within its header: it is cut short.");
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const begin = start + length;
  if (bytes.length < begin) fail("ends within its header: it is cut short.");
  const { descr, fortran, shape } = parseHeader(new TextDecoder().decode(bytes.subarray(start, begin)), fail);

  const [order, code] = [descr[0]!, descr.slice(1)];
  if (!"<>=|".includes(order) || !Object.hasOwn(typeNames, code))
    fail(`holds values of type "${descr}"; convert them with .astype, for example to float32 or int64.`);
  const type: DataType = typeNames[code as keyof typeof typeNames];
  const width = bytesPerElement(type);
  const size = sizeOf(shape);
  if (bytes.length - begin !== size * width)
    fail(
      `has ${bytes.length - begin} bytes of values, but ${describe({ type, shape })} takes ${size * width}: it is cut short or damaged.`,
    );
  const data = allocate(type, size);
  const raw = new Uint8Array(data.buffer);
  raw.set(bytes.subarray(begin));
  if (order === ">") for (let at = 0; at < raw.length; at += width) raw.subarray(at, at + width).reverse();
  if (type === "bool" && raw.some((v) => v > 1)) fail("has booleans other than 0 and 1.");
  return fortran && shape.length > 1 ? inRowMajorOrder(tensor(type, shape, data)) : tensor(type, shape, data);
}

/**
 * Writes a tensor as `numpy.load` reads it (format version 1, little-endian, C order). The same tensor gives the same bytes on every platform.
 *
 * @example await writeFile("adversarial.npy", writeNpy(result.images))
 */
export function writeNpy({ type, shape, data }: Tensor): Uint8Array<ArrayBuffer> {
  const code = fileNames.get(type)!;
  const order = bytesPerElement(type) === 1 ? "|" : "<";
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${sides}), }`;
  // The values begin at a multiple of 64, and a line break ends the header.
  const begin = Math.ceil((10 + header.length + 1) / 64) * 64;
  const file = new Uint8Array(begin + data.byteLength).fill(0x20, 10, begin);
  file.set([...magic, 1, 0]);
  new DataView(file.buffer).setUint16(8, begin - 10, true);
  file.set(new TextEncoder().encode(header), 10);
  file[begin - 1] = 0x0a;
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), begin);
  return file;
}

/**
 * Reads a `.npz` file, as `numpy.savez` and `numpy.savez_compressed` write it.
 *
 * @throws NpyError when it is no ZIP archive, or an array in it is as `parseNpy` refuses it.
 * @example const { images, labels } = Object.fromEntries(parseNpz(bytes))
 */
export function parseNpz(bytes: Uint8Array, where = "The .npz file"): Map<string, Tensor> {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes);
  } catch (error) {
    throw new NpyError(`${where} is no ZIP archive that can be read (${(error as Error).message}); write it with numpy.savez.`);
  }
  return new Map(
    Object.entries(files).flatMap(([name, content]) =>
      name.endsWith(".npy") ? [[name.slice(0, -4), parseNpy(content, `${where}: ${name}`)] as const] : [],
    ),
  );
}

/**
 * Writes named tensors as `numpy.load` reads them, uncompressed, in the map's order.
 *
 * @example await writeFile("result.npz", writeNpz(new Map([["images", images], ["labels", labels]])))
 */
export function writeNpz(tensors: ReadonlyMap<string, Tensor>): Uint8Array<ArrayBuffer> {
  const files = Object.fromEntries([...tensors].map(([name, t]) => [`${name}.npy`, writeNpy(t)]));
  // A date of its own would make the same tensors other bytes every second.
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, its keys in any order. */
function parseHeader(text: string, fail: (what: string) => never): Header {
  const descr = /'descr':\s*(?:'([^']*)'|(\[))/.exec(text);
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const sides = /'shape':\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (descr?.[2]) fail("holds records; save each field as an array of its own.");
  if (descr?.[1] === undefined || fortran === undefined || sides === undefined) return fail("has a header that cannot be read.");
  const shape = sides
    .split(",")
    .map((side) => side.trim().replace(/L$/, ""))
    .filter((side) => side !== "")
    .map(Number);
  return { descr: descr[1], fortran: fortran === "True", shape };
}

/** An array whose first axis runs fastest, with its last axis running fastest. */
function inRowMajorOrder(t: Tensor): Tensor {
  const ordered = tensor(t.type, t.shape);
  const strides = t.shape.map((_, axis) => sizeOf(t.shape.slice(0, axis)));
  const index = t.shape.map(() => 0);
  for (let to = 0; to < ordered.data.length; to++) {
    const from = index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
    ordered.data[to] = t.data[from]!;
    for (let axis = index.length - 1; axis >= 0 && ++index[axis]! === t.shape[axis]; axis--) index[axis] = 0;
  }
  return ordered;
}
