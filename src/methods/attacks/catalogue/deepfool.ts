import { z } from "zod";
import { AttackError } from "../error.js";
import { count, parameter, reach, smallestIn } from "../parameters.js";
import { smallestPerturbation } from "../smallest/smallest-perturbation.js";

/**
 * What each step goes beyond its border, the authors' code's: where the box stops some pixels, steps to the border itself grow shorter and shorter, and never
 * cross it.
 */
const nudge = 1e-4;

/** The border that a sample goes to: how far it is, and the slope of the lead over the class behind it. */
interface Border {
  readonly distance: number;
  readonly slope: Float32Array | undefined;
}

/**
 * DeepFool: the classifier is taken as linear, the nearest of its borders with other classes is stepped to, and again from there. A plane at height
 * f = z_y - z_k with slope w = ∇f is |f| / ‖w‖_q away in l_p, 1/p + 1/q = 1, in the direction of w (l_2) or its signs (l_inf).
 *
 * Towards a class, which the paper has not, the border is the one between it and the class that is ahead of it.
 */
export const deepfool = smallestPerturbation({
  name: "deepfool",
  title: "DeepFool",
  source: "Moosavi-Dezfooli et al. 2016, algorithm 2",
  summary: "smallest perturbation: to the nearest border of the linearized classifier, again and again",
  extent: "image",
  parameters: {
    ...smallestIn("l_2", "l_inf"),
    ...reach,
    steps: parameter(count.default(50), { description: "number of steps, at most" }),
    candidates: parameter(count.default(10), {
      description: "of the classes, those of the largest logits at first, the label's included, whose borders count",
    }),
    overshoot: parameter(z.number().nonnegative().default(0.02), {
      description: "share by which the sum of the steps is lengthened, to get beyond the border",
    }),
  },
  check: ({ candidates }) => {
    if (candidates < 2) throw new AttackError("deepfool: candidates are 2 at least, the label's class and another; take more.");
  },
  parts: ({ norm, steps, candidates, overshoot }, { dualOf, lengths, leadOverRival, marginLeft, moved, others }, goal) => {
    const length = lengths[dualOf[norm]];
    return {
      objective: goal === "untargeted" ? leadOverRival : marginLeft(goal),
      async search(search) {
        const { clean, count } = search;
        const delta = new Float64Array(clean.length);
        const done = search.wonAtFirst.slice();
        const rivals = goal === "untargeted" ? others(search, candidates - 1) : [{}];
        for (let step = 0; step < steps && done.includes(false); step++) {
          const x = moved(
            clean,
            delta.map((v) => (1 + overshoot) * v),
          );
          const nearest = Array.from({ length: count }, (): Border => ({ distance: Number.POSITIVE_INFINITY, slope: undefined }));
          for (const [i, rival] of rivals.entries()) {
            const { value, gradient, won } = await search.look(x, rival, i === 0 ? "a step" : "the step before");
            for (let b = 0; b < count; b++) {
              done[b] ||= won[b]!;
              const slope = search.row(gradient, b);
              const distance = Math.abs(value[b]!) / length(slope);
              if (distance < nearest[b]!.distance) nearest[b] = { distance, slope };
            }
            if (!done.includes(false)) break;
          }
          for (let b = 0; b < count; b++) {
            const { distance, slope } = nearest[b]!;
            if (done[b] || !slope) continue;
            const [d, size] = [search.row(delta, b), length(slope)];
            // Towards lower f: δ = -|f| w / ‖w‖² in l_2, -|f| sign(w) / ‖w‖₁ in l_inf.
            for (let i = 0; i < d.length; i++)
              d[i]! -= (distance + nudge) * (norm === "l_2" ? slope[i]! / size : Math.sign(slope[i]!));
          }
        }
        if (done.includes(false))
          await search.try(
            moved(
              clean,
              delta.map((v) => (1 + overshoot) * v),
            ),
          );
      },
    };
  },
});
