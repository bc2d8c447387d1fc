import { add, mul } from "../../../../engine/operators/index.js";
import type { DescentRule } from "../ascent.js";

/** Projected gradient ascent: x ← Π(x + α · direction(g)) (Madry et al. 2018, eq. 2.3). */
export const ascent: DescentRule = {
  name: "ascent",
  state: [],
  step: ({ images, norm, stepSize, project }) => ({
    images: images.map(({ x, gradient }, i) => project(i, add(x, mul(norm.direction(gradient, x), stepSize)))),
    state: {},
  }),
  result: "last",
};
