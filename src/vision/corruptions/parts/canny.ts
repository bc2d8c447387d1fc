import { within } from "./border.js";

/**
 * Canny's edges (1986) of a plane of levels from 0 to 255: Sobel gradients, ridges of |dx| + |dy| across the gradient's direction (in eighths of a turn), those
 * above `high`, and those above `low` that touch one.
 *
 * @returns 1 on edges, 0 elsewhere.
 */
export function cannyEdges(plane: Float32Array, height: number, width: number, low: number, high: number): Uint8Array {
  const dx = new Float32Array(plane.length);
  const dy = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    const [above, row, below] = [y - 1, y, y + 1].map((v) => within(v, height, "edge") * width) as [number, number, number];
    for (let x = 0; x < width; x++) {
      const [left, right] = [within(x - 1, width, "edge"), within(x + 1, width, "edge")];
      const at = (start: number, column: number) => plane[start + column]!;
      dx[row + x] =
        at(above, right) - at(above, left) + 2 * (at(row, right) - at(row, left)) + at(below, right) - at(below, left);
      dy[row + x] = at(below, left) - at(above, left) + 2 * (at(below, x) - at(above, x)) + at(below, right) - at(above, right);
    }
  }
  const size = dx.map((v, i) => Math.abs(v) + Math.abs(dy[i]!));
  const sizeAt = (y: number, x: number) => (y < 0 || x < 0 || y >= height || x >= width ? 0 : size[y * width + x]!);
  const ridge = (y: number, x: number): boolean => {
    const i = y * width + x;
    const m = size[i]!;
    const [ax, ay] = [Math.abs(dx[i]!), Math.abs(dy[i]!)];
    // tan 22.5° and tan 67.5° divide the directions.
    if (ay < ax * (Math.SQRT2 - 1)) return m > sizeAt(y, x - 1) && m >= sizeAt(y, x + 1);
    if (ay > ax * (Math.SQRT2 + 1)) return m > sizeAt(y - 1, x) && m >= sizeAt(y + 1, x);
    const side = dx[i]! < 0 !== dy[i]! < 0 ? -1 : 1;
    return m > sizeAt(y - 1, x - side) && m > sizeAt(y + 1, x + side);
  };
  const edges = new Uint8Array(plane.length);
  const open: number[] = [];
  const candidate = new Uint8Array(plane.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (size[i]! <= low || !ridge(y, x)) continue;
      candidate[i] = 1;
      if (size[i]! > high) {
        edges[i] = 1;
        open.push(i);
      }
    }
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const [y, x] = [Math.floor(i / width), i % width];
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        const j = v * width + u;
        if (!candidate[j] || edges[j]) continue;
        edges[j] = 1;
        open.push(j);
      }
  }
  return edges;
}
