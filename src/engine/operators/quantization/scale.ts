import type { Value } from "../../graph/graph.js";
import { type Shape, sameShape, tensor } from "../../tensor/tensor.js";
import { normalizeAxis } from "../emit.js";
import { gather } from "../indexing/gather.js";
import { reshape } from "../layout/reshape.js";

/** Checks that scales (or zero points) are one number, one for each slice of `x` along `axis`, or one for each block of slices. */
export function checkScale(x: Value, scale: Value, axis: number, fail: (message: string) => never, blockSize = 0): void {
  if (blockSize > 0) {
    const at = normalizeAxis(axis, x.shape.length, fail);
    const blocks = x.shape.map((d, i) => (i === at ? Math.ceil(d / blockSize) : d));
    if (!sameShape(scale.shape, blocks))
      fail(`for blocks of ${blockSize} along axis ${axis}, scales and zero points must be [${blocks.join(", ")}]`);
    return;
  }
  if (scale.shape.length > 1) fail("scales and zero points must be one number or a vector along its axis");
  if (scale.shape.length === 1 && scale.shape[0] !== 1 && scale.shape[0] !== x.shape[normalizeAxis(axis, x.shape.length, fail)]) {
    fail(`there must be one scale and zero point for each slice along axis ${axis}`);
  }
}

/** Lays a vector of scales (or zero points) out so that it broadcasts against `x` along `axis`. */
export function alongAxis(x: Value, scale: Value, axis: number): Value {
  if (scale.shape.length === 0) return scale;
  if (scale.shape[0] === 1) return reshape(scale, []);
  const at = axis < 0 ? axis + x.shape.length : axis;
  return reshape(
    scale,
    x.shape.map((_, i) => (i === at ? scale.shape[0]! : 1)),
  );
}

/** How numbers and their scales are laid out so that they broadcast: `join(f(numbers(x), scales(s)))` has the shape of x. */
export interface ScaleLayout {
  readonly numbers: (x: Value) => Value;
  readonly scales: (s: Value) => Value;
  readonly join: (y: Value) => Value;
}

/**
 * Scales of blocks: an axis of whole blocks is cut into (block, within the block), so that no scale is stored twice; where the last block is
 * cut short, each slice gets the scale of its block.
 */
export function scaleLayout(x: Value, axis: number, blockSize: number): ScaleLayout {
  const same = (v: Value) => v;
  if (blockSize === 0) return { numbers: same, scales: (s) => alongAxis(x, s, axis), join: same };
  const at = axis < 0 ? axis + x.shape.length : axis;
  const size = x.shape[at]!;
  if (size % blockSize !== 0) {
    const block = Array.from({ length: size }, (_, i) => Math.floor(i / blockSize));
    return { numbers: same, scales: (s) => gather(s, s.graph.constant(tensor("int64", [size], block)), at), join: same };
  }
  const cut = (shape: Shape, inner: number): Shape => [...shape.slice(0, at), size / blockSize, inner, ...shape.slice(at + 1)];
  return {
    numbers: (v) => reshape(v, cut(x.shape, blockSize)),
    scales: (s) => reshape(s, cut(x.shape, 1)),
    join: (y) => reshape(y, x.shape),
  };
}
