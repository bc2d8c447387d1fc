import { SizeError, SpecError } from "./spec/error.js";
import type { ModelSpec } from "./spec/model-spec.js";

/** Tiles of one size, in pixels; neighbors share at least `overlap` of them along each axis. */
export interface Tiling {
  readonly height: number;
  readonly width: number;
  readonly overlap: number;
}

/** One tile along one axis, in pixels of the picture: it begins at `start`, and its core, the part that its prediction is kept of, is [from, to). */
export interface TileSpan {
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Places tiles along an axis: every `tile - overlap` pixels, the last one moved inwards to end with the picture. The cores partition the axis; they
 * meet in the middle of what two neighbors share, so that every pixel is predicted where it has the most context: at least ⌊overlap / 2⌋ pixels on
 * each side, but for the picture's own edges. A picture shorter than a tile has one, which reaches beyond its end.
 *
 * @example tileSpans(20, 12, 4) // [{ start: 0, from: 0, to: 10 }, { start: 8, from: 10, to: 20 }]
 */
export function tileSpans(length: number, tile: number, overlap: number): TileSpan[] {
  const last = Math.max(0, length - tile);
  const count = 1 + Math.ceil(last / (tile - overlap));
  const starts = Array.from({ length: count }, (_, i) => Math.min(i * (tile - overlap), last));
  const border = (i: number) => Math.floor((starts[i]! + starts[i - 1]! + tile) / 2);
  return starts.map((start, i) => ({ start, from: i === 0 ? 0 : border(i), to: i === count - 1 ? length : border(i + 1) }));
}

/** One tile of a picture. */
export interface TilePlace {
  readonly row: TileSpan;
  readonly column: TileSpan;
}

/** The tiles of a picture, row by row. */
export function tilePlaces(picture: { readonly height: number; readonly width: number }, tiling: Tiling): TilePlace[] {
  const along = (axis: "height" | "width") => tileSpans(picture[axis], tiling[axis], tiling.overlap);
  const columns = along("width");
  return along("height").flatMap((row) => columns.map((column) => ({ row, column })));
}

/** How many tiles a picture is cut into. */
export const tileCount = (picture: { readonly height: number; readonly width: number }, tiling: Tiling): number =>
  tilePlaces(picture, tiling).length;

/**
 * A picture smaller than a tile is mirrored up to it, which takes it to less than twice its size.
 *
 * @param what is too small, for the message.
 * @throws SizeError in one sentence.
 */
export function checkTileable(what: string, picture: { readonly height: number; readonly width: number }, tile: Tiling): void {
  if (tile.height > 2 * picture.height - 1 || tile.width > 2 * picture.width - 1)
    throw new SizeError(
      `${what} is ${picture.width}x${picture.height}, too small to be mirrored to a tile of ${tile.width}x${tile.height}; make it larger, or take smaller tiles.`,
    );
}

/** The usual overlap: a quarter of a tile's shorter side. */
export const usualOverlap = ({ height, width }: { readonly height: number; readonly width: number }): number =>
  Math.round(Math.min(height, width) / 4);

/**
 * Holds a tiling against the sizes that a model takes.
 *
 * @throws SpecError in one sentence when the model does not take the tiles, or they do not move on.
 */
export function checkTiling({ height, width, overlap }: Tiling, size: ModelSpec["size"]): void {
  const tiles = `Tiles of ${height}x${width} (height x width)`;
  if (height < 1 || width < 1) throw new SpecError(`${tiles} hold no pixel; a side is at least 1.`);
  if (size.rule === "fixed" && (height !== size.height || width !== size.width))
    throw new SpecError(`${tiles} do not suit the model, which takes ${size.height}x${size.width} only.`);
  if (size.rule === "multiple" && (height % size.of !== 0 || width % size.of !== 0))
    throw new SpecError(`${tiles} do not suit the model, whose sizes are multiples of ${size.of}.`);
  if (overlap < 0 || overlap >= Math.min(height, width))
    throw new SpecError(
      `${tiles} cannot overlap by ${overlap}; the overlap is at least 0 and smaller than a tile's shorter side.`,
    );
}
