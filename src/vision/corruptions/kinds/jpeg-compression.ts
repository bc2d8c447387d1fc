import { clip, defineCorruption, type Picture } from "../corruption.js";
import { within } from "../parts/border.js";

/**
 * What JPEG loses (ITU-T T.81, annex K.1's tables scaled as libjpeg scales them): luma and half-sized chroma in blocks of 8x8, their cosine coefficients
 * rounded to multiples of a table. Nothing is encoded, so no codec is needed, and every machine gives the same bits; strengths are the quality.
 */
export const jpegCompression = defineCorruption({
  name: "jpeg_compression",
  family: "digital",
  summary: "a strongly compressed JPEG",
  strengths: [25, 18, 15, 10, 7],
  apply: ({ height, width, planes }, quality) => {
    const [r, g, b] = planes.map((plane) => plane.map((v) => Math.round(v * 255))) as [Float32Array, Float32Array, Float32Array];
    const component = (red: number, green: number, blue: number, offset: number) => ({
      height,
      width,
      values: r.map((v, i) => Math.round(red * v + green * g[i]! + blue * b[i]! + offset)),
    });
    const luma = coded(component(0.299, 0.587, 0.114, 0), table(lumaTable, quality));
    const chroma = table(chromaTable, quality);
    const blue = enlarged(coded(halved(component(-0.168735892, -0.331264108, 0.5, 128)), chroma), height, width);
    const red = enlarged(coded(halved(component(0.5, -0.418687589, -0.081312411, 128)), chroma), height, width);
    const level = (value: (y: number, cb: number, cr: number) => number) =>
      luma.values.map((y, i) => clip(Math.round(value(y, blue.values[i]! - 128, red.values[i]! - 128)), 0, 255) / 255);
    return {
      height,
      width,
      planes: [
        level((y, _, cr) => y + 1.402 * cr),
        level((y, cb, cr) => y - 0.344136286 * cb - 0.714136286 * cr),
        level((y, cb) => y + 1.772 * cb),
      ],
    } satisfies Picture;
  },
});

/** One component: values from 0 to 255. */
interface Component {
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Rows of T.81's table K.1, for luminance. */
const lumaTable = [
  [16, 11, 10, 16, 24, 40, 51, 61],
  [12, 12, 14, 19, 26, 58, 60, 55],
  [14, 13, 16, 24, 40, 57, 69, 56],
  [14, 17, 22, 29, 51, 87, 80, 62],
  [18, 22, 37, 56, 68, 109, 103, 77],
  [24, 35, 55, 64, 81, 104, 113, 92],
  [49, 64, 78, 87, 103, 121, 120, 101],
  [72, 92, 95, 98, 112, 100, 103, 99],
];
/** Rows of T.81's table K.2, for chrominance. */
const chromaTable = [
  [17, 18, 24, 47, 99, 99, 99, 99],
  [18, 21, 26, 66, 99, 99, 99, 99],
  [24, 26, 56, 99, 99, 99, 99, 99],
  [47, 66, 99, 99, 99, 99, 99, 99],
  ...Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => 99)),
];

/** libjpeg's scaling of a table to a quality below 50. */
function table(base: readonly (readonly number[])[], quality: number): number[] {
  const percent = Math.floor(5000 / quality);
  return base.flat().map((v) => clip(Math.floor((v * percent + 50) / 100), 1, 255));
}

/** The means of 2x2 values; a last row or column stands for one that is missing. */
function halved({ height, width, values }: Component): Component {
  const [tall, wide] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const small = new Float32Array(tall * wide);
  for (let y = 0; y < tall; y++)
    for (let x = 0; x < wide; x++) {
      const at = (dy: number, dx: number) => values[Math.min(2 * y + dy, height - 1) * width + Math.min(2 * x + dx, width - 1)]!;
      // Halves are rounded down and up in turn, so that no level is favored.
      small[y * wide + x] = Math.floor((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1) + (x % 2 === 0 ? 1 : 2)) / 4);
    }
  return { height: tall, width: wide, values: small };
}

/** Twice the size, each value being three parts the nearest and one part the next, along both axes. */
function enlarged({ height, width, values }: Component, tall: number, wide: number): Component {
  const large = new Float32Array(tall * wide);
  for (let y = 0; y < tall; y++)
    for (let x = 0; x < wide; x++) {
      const [row, column] = [y >> 1, x >> 1];
      const nextRow = within(row + (y % 2 === 0 ? -1 : 1), height, "edge");
      const nextColumn = within(column + (x % 2 === 0 ? -1 : 1), width, "edge");
      const at = (r: number, c: number) => values[r * width + c]!;
      const sum = 9 * at(row, column) + 3 * at(nextRow, column) + 3 * at(row, nextColumn) + at(nextRow, nextColumn);
      large[y * wide + x] = Math.floor((sum + (x % 2 === 0 ? 8 : 7)) / 16);
    }
  return { height: tall, width: wide, values: large };
}

/** cosine[u][x] of the orthonormal DCT-II over 8 samples. */
const cosine = Array.from({ length: 8 }, (_, u) =>
  Array.from({ length: 8 }, (_, x) => (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16)),
);
const forward = new Float64Array(cosine.flat());
const backward = new Float64Array(64).map((_, i) => cosine[i % 8]![Math.floor(i / 8)]!);

/** Block by block to coefficients, to multiples of the table, and back. */
function coded({ height, width, values }: Component, table: readonly number[]): Component {
  const result = new Float32Array(values.length);
  const block = new Float64Array(64);
  for (let top = 0; top < height; top += 8)
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) {
        const [y, x] = [Math.min(top + (i >> 3), height - 1), Math.min(left + (i & 7), width - 1)];
        block[i] = values[y * width + x]! - 128;
      }
      transform(block, forward);
      for (let i = 0; i < 64; i++) block[i] = quantized(block[i]!, table[i]!);
      transform(block, backward);
      for (let i = 0; i < 64; i++) {
        const [y, x] = [top + (i >> 3), left + (i & 7)];
        if (y < height && x < width) result[y * width + x] = clip(Math.round(block[i]! + 128), 0, 255);
      }
    }
  return { height, width, values: result };
}

/** The nearest multiple; libjpeg has coefficients in eighths by then, and rounds halves away from zero, which decides often in flat blocks. */
const quantized = (coefficient: number, step: number): number =>
  Math.sign(coefficient) * Math.floor(Math.round(Math.abs(coefficient) * 8) / (8 * step) + 0.5) * step;

const half = new Float64Array(64);

/** M B Mᵀ in place, for 8x8 matrices row by row. */
function transform(block: Float64Array, m: Float64Array): void {
  for (let i = 0; i < 64; i++) {
    let sum = 0;
    for (let k = 0; k < 8; k++) sum += m[(i & 56) + k]! * block[k * 8 + (i & 7)]!;
    half[i] = sum;
  }
  for (let i = 0; i < 64; i++) {
    let sum = 0;
    for (let k = 0; k < 8; k++) sum += half[(i & 56) + k]! * m[((i & 7) << 3) + k]!;
    block[i] = sum;
  }
}
