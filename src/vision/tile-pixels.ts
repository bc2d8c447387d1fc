import { type DataType, sizeOf, type Tensor, tensor } from "../engine/tensor/tensor.js";
import type { TilePlace, TileSpan, Tiling } from "./tiling.js";

// Tiles of arrays [..., H, W], for loops that predict one tile after the other.

/** What a tile sees of a picture, [..., H, W] -> [..., tile height, tile width]; what lies beyond its end is mirrored without repeating the edge. */
export function cutTile<T extends DataType>(whole: Tensor<T>, place: TilePlace, tiling: Tiling): Tensor<T> {
  const { planes, height, width } = planesOf(whole);
  const tile = tensor(whole.type, [...whole.shape.slice(0, -2), tiling.height, tiling.width]);
  const [rows, columns] = [sources(place.row, tiling.height, height), sources(place.column, tiling.width, width)];
  for (let plane = 0, to = 0; plane < planes; plane++) {
    for (const y of rows) {
      const from = (plane * height + y) * width;
      for (const x of columns) tile.data[to++] = whole.data[from + x]!;
    }
  }
  return tile;
}

/** The adjoint of `cutTile`: adds a tile, times a factor, to where it came from. */
export function addTile(
  whole: Tensor<"float32">,
  tile: Tensor<"float32">,
  place: TilePlace,
  tiling: Tiling,
  factor: number,
): void {
  const { planes, height, width } = planesOf(whole);
  const [rows, columns] = [sources(place.row, tiling.height, height), sources(place.column, tiling.width, width)];
  for (let plane = 0, from = 0; plane < planes; plane++) {
    for (const y of rows) {
      const to = (plane * height + y) * width;
      for (const x of columns) whole.data[to + x]! += factor * tile.data[from++]!;
    }
  }
}

/** Copies the core of what is predicted of a tile into the picture's prediction. */
export function putCore(whole: Tensor<"float32">, tile: Tensor<"float32">, { row, column }: TilePlace): void {
  const { planes, height, width } = planesOf(whole);
  const own = planesOf(tile);
  for (let plane = 0; plane < planes; plane++) {
    for (let y = row.from; y < row.to; y++) {
      const from = (plane * own.height + y - row.start) * own.width - column.start;
      whole.data.set(tile.data.subarray(from + column.from, from + column.to), (plane * height + y) * width + column.from);
    }
  }
}

/** float32 [B, tile height, tile width]: 1 on the core, or the value of `valid` [B, H, W] there; 0 on the context. */
export function coreMask(
  batch: number,
  valid: Tensor<"float32"> | undefined,
  place: TilePlace,
  tiling: Tiling,
): Tensor<"float32"> {
  const { row, column } = place;
  const mask = valid ? cutTile(valid, place, tiling) : tensor("float32", [batch, tiling.height, tiling.width]);
  const inside = ({ start, from, to }: TileSpan, i: number) => start + i >= from && start + i < to;
  for (let i = 0; i < mask.data.length; i++) {
    const core = inside(row, Math.floor(i / tiling.width) % tiling.height) && inside(column, i % tiling.width);
    mask.data[i] = core ? (valid ? mask.data[i]! : 1) : 0;
  }
  return mask;
}

/** Where along an axis of `length` pixels each pixel of a tile comes from. */
function sources({ start }: TileSpan, tile: number, length: number): Int32Array {
  return Int32Array.from({ length: tile }, (_, i) => (start + i < length ? start + i : 2 * (length - 1) - start - i));
}

function planesOf({ shape }: Tensor): { planes: number; height: number; width: number } {
  const [height, width] = shape.slice(-2) as [number, number];
  return { planes: sizeOf(shape.slice(0, -2)), height, width };
}
