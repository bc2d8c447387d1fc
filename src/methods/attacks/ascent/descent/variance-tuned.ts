import { add, sub } from "../../../../engine/operators/index.js";
import type { DescentRule } from "../ascent.js";

/**
 * Variance tuning (VMI-FGSM, Wang & He 2021, algorithm 1) of any rule: it follows g + v, v being how far the mean gradient of N points around the last iterate
 * was from the gradient there, v ← (1/N) Σ ∇J(x + r) - g, r uniform in [-β ε, β ε]. v is 0 at first.
 *
 * With a rule that looks ahead (VNI-FGSM) the points lie around the iterate, g is the gradient ahead of it, as in torchattacks.
 */
export const varianceTuned = (rule: DescentRule, samples: number, beta: number): DescentRule => ({
  ...rule,
  name: `${rule.name}, variance of ${samples}`,
  state: [...rule.state, { name: "variance", per: "image", initial: 0 }],
  around: { samples, beta },
  step: (given) => {
    const { variance, ...own } = given.state;
    const tuned = given.images.map((image, i) => ({ ...image, gradient: add(image.gradient, variance![i]!) }));
    const next = rule.step({ ...given, images: tuned, state: own });
    return { ...next, state: { ...next.state, variance: given.images.map(({ gradient, around }) => sub(around!, gradient)) } };
  },
});
