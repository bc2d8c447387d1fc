/**
 * PNG as raw samples (https://www.w3.org/TR/png-3/): what label masks and 16-bit flow need and what image libraries hide: palette
 * indices instead of colors, 16 bits instead of 8, no gamma or profile applied. All color types and depths, Adam7 interlacing.
 */
import { unzlibSync, zlibSync } from "fflate";
import { DataError } from "../error.js";
import { crc32 } from "./crc32.js";

const colorTypes = { 0: "gray", 2: "rgb", 3: "palette", 4: "gray-alpha", 6: "rgb-alpha" } as const;
export type PngColor = (typeof colorTypes)[keyof typeof colorTypes];

const channelsOf = { gray: 1, rgb: 3, palette: 1, "gray-alpha": 2, "rgb-alpha": 4 } as const satisfies Record<PngColor, number>;
const depthsOf: Record<PngColor, readonly number[]> = {
  gray: [1, 2, 4, 8, 16],
  rgb: [8, 16],
  palette: [1, 2, 4, 8],
  "gray-alpha": [8, 16],
  "rgb-alpha": [8, 16],
};

export interface Png {
  readonly width: number;
  readonly height: number;
  readonly color: PngColor;
  /** Bits of each sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** Samples of each pixel. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Interleaved samples as stored, in [0, 2^depth); palette indices where `color` is "palette". */
  readonly data: Uint8Array | Uint16Array;
  /** R, G, B of each palette entry, 8 bits each. */
  readonly palette?: Uint8Array;
}

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** As in sharp: 2^14 squared. A larger claim is damage or an attack. */
const largestArea = 0x4000 * 0x4000;

/** Adam7's seven passes: first column and row, steps. One pass of steps 1 is a picture that is not interlaced. */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const progressive = [[0, 0, 1, 1]] as const;

interface Header extends Pick<Png, "width" | "height" | "color" | "depth" | "channels"> {
  readonly passes: readonly (readonly [number, number, number, number])[];
}

/**
 * Decodes a PNG file to its stored samples.
 *
 * @example decodePng(maskBytes).data // class indices of a palette mask
 * @throws DataError when the bytes are not a PNG file, are damaged or cut short.
 */
export function decodePng(bytes: Uint8Array): Png {
  if (!signature.every((b, i) => bytes[i] === b)) throw new DataError("This is not a PNG file: its first 8 bytes are not PNG's.");
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  const compressed: Uint8Array[] = [];
  for (const { type, body } of chunks(bytes)) {
    if (type === "IHDR") header = parseHeader(body);
    else if (type === "PLTE") palette = body.slice();
    else if (type === "IDAT") compressed.push(body);
  }
  if (!header || compressed.length === 0) throw new DataError("The PNG file lacks its header or its image data: truncated file?");
  if (header.color === "palette" && !palette) throw new DataError("The PNG file has palette indices but no palette.");
  const { passes, ...about } = header;
  const data = unpack(header, inflate(compressed, packedSize(header)));
  return { ...about, data, ...(palette && { palette }) };
}

/**
 * Encodes stored samples, not interlaced. The same input gives the same bytes.
 *
 * @throws DataError when the color type, depth and number of samples do not fit together.
 */
export function encodePng(png: Omit<Png, "channels">): Uint8Array<ArrayBuffer> {
  const { width, height, color, depth, data, palette } = png;
  const channels = channelsOf[color];
  if (!depthsOf[color].includes(depth) || data.length !== width * height * channels || (color === "palette" && !palette)) {
    throw new DataError(`A PNG of ${width}x${height}, ${color} at ${depth} bits, cannot be made of ${data.length} samples.`);
  }
  const ihdr = new Uint8Array(13);
  const view = new DataView(ihdr.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  ihdr[8] = depth;
  ihdr[9] = Number(Object.entries(colorTypes).find(([, name]) => name === color)![0]);

  const perRow = width * channels;
  const stride = Math.ceil((perRow * depth) / 8);
  const step = Math.max(1, (channels * depth) >> 3);
  // Filter "none" for indices and few bits, "Paeth" for pictures: the specification's own advice (section 12.7), made static.
  const filter = color === "palette" || depth < 8 ? 0 : 4;
  const rows = new Uint8Array(height * (stride + 1));
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const row = packRow(data, y * perRow, perRow, depth, stride);
    const at = y * (stride + 1);
    rows[at] = filter;
    for (let i = 0; i < stride; i++) {
      const predicted = filter === 0 ? 0 : paeth(row[i - step] ?? 0, above[i]!, above[i - step] ?? 0);
      rows[at + 1 + i] = row[i]! - predicted;
    }
    above = row;
  }
  return concatenate([
    signature,
    chunk("IHDR", ihdr),
    ...(palette ? [chunk("PLTE", palette)] : []),
    chunk("IDAT", zlibSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

function* chunks(bytes: Uint8Array): Generator<{ type: string; body: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length)
      throw new DataError(`The PNG file ends at byte ${bytes.length} without its end mark: truncated file?`);
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (length > bytes.length - at - 12) {
      throw new DataError(`The PNG chunk ${type} claims ${length} bytes, more than the file holds: truncated file?`);
    }
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw new DataError(`The checksum of the PNG chunk ${JSON.stringify(type)} does not match: the file is damaged.`);
    }
    if (type === "IEND") return;
    yield { type, body: bytes.subarray(at + 8, at + 8 + length) };
    at += 12 + length;
  }
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

function parseHeader(body: Uint8Array): Header {
  if (body.length !== 13) throw new DataError(`The PNG header has 13 bytes, not ${body.length}.`);
  const view = new DataView(body.buffer, body.byteOffset);
  const [width, height, depth, interlace] = [view.getUint32(0), view.getUint32(4), body[8]!, body[12]!];
  const color = (colorTypes as Record<number, PngColor | undefined>)[body[9]!];
  if (!color || !depthsOf[color].includes(depth) || body[10] !== 0 || body[11] !== 0 || interlace > 1) {
    throw new DataError(`The PNG header names color type ${body[9]}, depth ${depth}, interlacing ${interlace}: no such format.`);
  }
  if (width === 0 || height === 0 || width * height > largestArea) {
    throw new DataError(`The PNG header claims ${width}x${height} pixels; 1 to ${largestArea} are read.`);
  }
  return { width, height, depth, color, channels: channelsOf[color], passes: interlace === 1 ? adam7 : progressive };
}

function passSize({ width, height, channels, depth }: Header, [x0, y0, dx, dy]: Header["passes"][number]) {
  const columns = Math.ceil((width - x0) / dx);
  const rows = columns > 0 ? Math.max(0, Math.ceil((height - y0) / dy)) : 0;
  return { columns, rows, stride: Math.ceil((Math.max(0, columns) * channels * depth) / 8) };
}

function packedSize(header: Header): number {
  return header.passes.reduce((total, pass) => {
    const { rows, stride } = passSize(header, pass);
    return total + rows * (stride + 1);
  }, 0);
}

function inflate(compressed: readonly Uint8Array[], size: number): Uint8Array {
  let packed: Uint8Array;
  try {
    packed = unzlibSync(concatenate(compressed), { out: new Uint8Array(size) });
  } catch {
    throw new DataError("The PNG file's compressed data are damaged.");
  }
  if (packed.length !== size)
    throw new DataError(`The PNG file holds ${packed.length} of ${size} bytes of pixels: truncated file?`);
  return packed;
}

/** Undoes the row filters (section 9) and spreads the passes' samples over the picture. */
function unpack(header: Header, packed: Uint8Array): Uint8Array | Uint16Array {
  const { width, height, channels, depth } = header;
  const data = depth === 16 ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
  const step = Math.max(1, (channels * depth) >> 3);
  let at = 0;
  for (const pass of header.passes) {
    const [x0, y0, dx, dy] = pass;
    const { columns, rows, stride } = passSize(header, pass);
    let above = new Uint8Array(stride);
    for (let r = 0; r < rows; r++, at += stride + 1) {
      const row = packed.subarray(at + 1, at + 1 + stride);
      unfilter(packed[at]!, row, above, step);
      above = row as Uint8Array<ArrayBuffer>;
      const to = (y0 + r * dy) * width;
      for (let c = 0; c < columns; c++) {
        for (let k = 0; k < channels; k++) data[(to + x0 + c * dx) * channels + k] = sampleAt(row, c * channels + k, depth);
      }
    }
  }
  return data;
}

function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  for (let i = 0; i < row.length; i++) {
    const left = i >= step ? row[i - step]! : 0;
    if (filter === 1) row[i]! += left;
    else if (filter === 2) row[i]! += above[i]!;
    else if (filter === 3) row[i]! += (left + above[i]!) >> 1;
    else if (filter === 4) row[i]! += paeth(left, above[i]!, i >= step ? above[i - step]! : 0);
    else if (filter !== 0) throw new DataError(`The PNG file uses row filter ${filter}, which does not exist: damaged file?`);
    else return;
  }
}

function paeth(left: number, above: number, corner: number): number {
  const estimate = left + above - corner;
  const a = Math.abs(estimate - left);
  const b = Math.abs(estimate - above);
  const c = Math.abs(estimate - corner);
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

function sampleAt(row: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return row[index]!;
  if (depth === 16) return (row[2 * index]! << 8) | row[2 * index + 1]!;
  const bit = index * depth;
  return (row[bit >> 3]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

function packRow(
  data: Uint8Array | Uint16Array,
  from: number,
  count: number,
  depth: number,
  stride: number,
): Uint8Array<ArrayBuffer> {
  const row = new Uint8Array(stride);
  for (let i = 0; i < count; i++) {
    const value = data[from + i]!;
    if (depth === 16) {
      row[2 * i] = value >> 8;
      row[2 * i + 1] = value;
    } else row[(i * depth) >> 3]! |= value << (8 - depth - ((i * depth) & 7));
  }
  return row;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
