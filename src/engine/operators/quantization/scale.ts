import type { Value } from "../../graph/graph.js";
import { normalizeAxis } from "../emit.js";
import { reshape } from "../layout/reshape.js";

/** Checks that scales (or zero points) are one number, or one for each slice of `x` along `axis`. */
export function checkScale(x: Value, scale: Value, axis: number, fail: (message: string) => never): void {
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
