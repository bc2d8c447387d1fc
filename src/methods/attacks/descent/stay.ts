import type { DescentRule } from "../attack.js";

/** Does not move: the starting point is the result. */
export const stay: DescentRule = {
  name: "stay",
  state: [],
  advance: ({ images }) => ({ images: images.map(({ x }) => x), state: {} }),
  result: "last",
};
