import { add, mul } from "../../../../engine/operators/index.js";
import type { DescentRule } from "../ascent.js";
import { type MomentumUnit, momentum } from "./momentum.js";

/**
 * Nesterov's accelerated gradient (NI-FGSM, Lin et al. 2020, eq. 6 to 8): momentum whose gradient is taken where the last momentum leads, at x + α μ m.
 *
 * By the paper's formula m is a sum of g / ‖g‖₁, so that the look ahead is α μ divided by the number of pixels: for an image of 224x224, nothing. The
 * authors' code and torchattacks divide by the mean of |g|, and look as far as a step is long.
 */
export const nesterov = (decay = 1, unit: MomentumUnit = "mean"): DescentRule => ({
  ...momentum(decay, unit),
  name: `Nesterov momentum ${decay}`,
  lookAt: ({ x, state, stepSize }) => x.map((image, i) => add(image, mul(state.momentum![i]!, mul(stepSize, decay)))),
});
