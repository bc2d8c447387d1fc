import type { DescentRule } from "../ascent.js";

/** Does not move: the starting point is the result. */
export const noStep: DescentRule = {
  name: "no step",
  state: [],
  step: ({ images }) => ({ images: images.map(({ x }) => x), state: {} }),
  result: "last",
};
