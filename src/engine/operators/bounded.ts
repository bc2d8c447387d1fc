import type { Value } from "../graph/graph.js";
import type { DataType } from "../tensor/tensor.js";
import { clip } from "./elementwise/clip.js";
import { max } from "./elementwise/max.js";

// Where a function is finite, though a part of it has an infinite slope (σ written out as 1 / (1 + e^-x) at -200, ‖x‖ as √Σx² at 0), the chain
// rule multiplies infinity by 0 and gives NaN. A rule takes the slope as the largest that numbers can express instead, and 0 stays 0.

/** The largest number, and the smallest that has all its digits. */
const limits: Readonly<Partial<Record<DataType, { readonly largest: number; readonly smallest: number }>>> = {
  float32: { largest: (2 - 2 ** -23) * 2 ** 127, smallest: 2 ** -126 },
  float64: { largest: Number.MAX_VALUE, smallest: 2 ** -1022 },
};
const limitsOf = ({ type }: Value) => {
  const known = limits[type];
  if (!known) throw new RangeError(`slopes are computed in float32 and float64, not in ${type}`);
  return known;
};

/** What overflowed, as the largest number of its type (float32 or float64), with its sign. */
export function overflowed(x: Value): Value {
  const { largest } = limitsOf(x);
  return clip(x, -largest, largest);
}

/** `x`, not below what `f` makes of the smallest normal number of its type: a divisor that 0 does not reach. */
export const awayFromZero = (x: Value, f: (smallest: number) => number = (smallest) => smallest): Value =>
  max(x, f(limitsOf(x).smallest));
