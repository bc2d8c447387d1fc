import { add, mul } from "../../../engine/operators/index.js";
import type { Layout } from "./layout.js";

/** φ(p) = p: the usual sensor, whose pixels are all of one size. */
export const uniform: Layout = {
  name: "uniform",
  parameters: [],
  pixels: "axis-aligned",
  map: (p) => p,
  jacobian: ({ x, y }) => {
    const zero = mul(add(x, y), 0);
    const one = add(zero, 1);
    return { xx: one, xy: zero, yx: zero, yy: one };
  },
  inverse: (p) => p,
};
