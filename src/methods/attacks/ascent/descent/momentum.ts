import type { Value } from "../../../../engine/graph/graph.js";
import { abs, add, clip, div, mul, reduceSum } from "../../../../engine/operators/index.js";
import { sizeOf } from "../../../../engine/tensor/tensor.js";
import { scaledByLargest } from "../../norms/scale.js";
import type { DescentRule } from "../ascent.js";

/** How gradients are made alike before they are added up: to a sum of magnitudes of 1 (as published), or to a mean of 1 (as code has it). */
export type MomentumUnit = "sum" | "mean";

/**
 * Momentum (MI-FGSM, Dong et al. 2018, eq. 6 and 7): m ← μ m + g / ‖g‖₁, x ← Π(x + α · direction(m)).
 *
 * The authors' code and torchattacks divide by the mean of |g| in place of ‖g‖₁. That makes m larger by a factor and leaves directions as they are; only who
 * looks ahead along m (`nesterov`) sees a difference.
 */
export const momentum = (decay = 1, unit: MomentumUnit = "sum"): DescentRule => ({
  name: `momentum ${decay}`,
  state: [{ name: "momentum", per: "image", initial: 0 }],
  step: ({ images, state, norm, stepSize, project }) => {
    const next = images.map(({ gradient }, i) => add(mul(state.momentum![i]!, decay), inUnit(gradient, unit)));
    return {
      images: images.map(({ x }, i) => project(i, add(x, mul(norm.direction(next[i]!, x), stepSize)))),
      state: { momentum: next },
    };
  },
  result: "last",
});

/** A gradient of zeros stays one. */
function inUnit(gradient: Value, unit: MomentumUnit): Value {
  const scaled = scaledByLargest(gradient);
  const share = div(scaled, clip(reduceSum(abs(scaled), [1, 2, 3], "keep"), 0.5));
  return unit === "sum" ? share : mul(share, sizeOf(gradient.shape.slice(1)));
}
