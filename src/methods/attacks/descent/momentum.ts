import { abs, add, clip, div, mul, reduceSum } from "../../../engine/operators/index.js";
import type { DescentRule } from "../attack.js";
import { scaledByLargest } from "../norms/scale.js";

/** Momentum (MI-FGSM, Dong et al. 2018, eq. 6 and 7): m ← μ m + g / ‖g‖₁, x ← Π(x + α · direction(m)). */
export const momentum = (decay = 1): DescentRule => ({
  name: `momentum ${decay}`,
  state: [{ name: "momentum", per: "image", initial: 0 }],
  step: ({ images, state, norm, stepSize, project }) => {
    const next = images.map(({ gradient }, i) => {
      const scaled = scaledByLargest(gradient);
      return add(mul(state.momentum![i]!, decay), div(scaled, clip(reduceSum(abs(scaled), [1, 2, 3], "keep"), 0.5)));
    });
    return {
      images: images.map(({ x }, i) => project(i, add(x, mul(norm.direction(next[i]!, x), stepSize)))),
      state: { momentum: next },
    };
  },
  result: "last",
});
