import { z } from "zod";
import { count, parameter, reach, smallestIn, successShare } from "../parameters.js";
import { smallestPerturbation } from "../smallest/smallest-perturbation.js";

/**
 * The radius while an image never broke: the paper's, to the linearized border, and on from there by a ten-thousandth: on the border of a model as linear as it
 * is taken to be nothing is broken yet. Between two borders that radius stands still, and so it does where the box takes back what the step brought; "steady"
 * lets it grow by a share γ at least.
 */
const toBorder = (size: number, left: number, least: number): number => Math.max((size + left) * (1 + 1e-4), least);

/**
 * Fast minimum-norm: steps along the normalized gradient, projected onto a ball whose radius adapts: while the image never broke, to where the linearized
 * border lies, ‖δ‖ + |f| / ‖∇f‖_q; later it shrinks by a share γ where the prediction is wrong and grows where it is right. In l_0, where a gradient says
 * nothing of numbers of entries, it changes by γ and by one entry at least. Step length and γ fall along a cosine.
 */
export const fmn = smallestPerturbation({
  name: "fmn",
  title: "FMN",
  source: "Pintor et al. 2021, algorithm 1",
  summary: "smallest perturbation: steps within a ball whose radius follows the border",
  extent: "image or pixels",
  parameters: {
    ...smallestIn("l_inf", "l_2", "l_1", "l_0"),
    ...reach,
    ...successShare,
    steps: parameter(count.default(100), { description: "number of steps" }),
    gamma: parameter(z.number().gt(0).lt(1).default(0.05), { description: "by which share the radius changes at a step" }),
    stepLength: parameter(z.number().positive().default(1), {
      description: "length of the first step in l_2; the last is a hundredth of it",
      placeholder: "length",
    }),
    growth: parameter(z.enum(["steady", "published"]).default("steady"), {
      description:
        "how the radius grows while an image never broke: published = to the linearized border, where an image between two borders may stay; steady = by gamma at least",
    }),
  },
  parts: (
    { norm, steps, gamma, stepLength, growth },
    { annealed, dualOf, intoBox, lengths, marginLeft, moved, projections, roomOf },
    goal,
  ) => ({
    objective: marginLeft(goal),
    async search(search) {
      const { clean, count } = search;
      const delta = new Float64Array(clean.length);
      const radius = new Float64Array(count).fill(norm === "l_0" ? 1 : Number.POSITIVE_INFINITY);
      const grown = (own: number, share: number) => (growth === "steady" && Number.isFinite(own) ? own * (1 + share) : 0);
      for (let step = 0; step < steps; step++) {
        const { value, gradient, won } = await search.look(moved(clean, delta));
        const length = annealed(step / steps, stepLength, stepLength / 100);
        const share = annealed(step / steps, gamma, 0.001);
        for (let b = 0; b < count; b++) {
          const [d, g, image, nearest] = [search.row(delta, b), search.row(gradient, b), search.row(clean, b), search.radius[b]!];
          const slope = lengths.l_2(g);
          if (slope === 0 && !won[b]) continue;
          radius[b] =
            norm === "l_0"
              ? won[b]
                ? Math.max(1, Math.min(radius[b]! - 1, Math.floor(radius[b]! * (1 - share)), nearest))
                : Math.max(radius[b]! + 1, Math.floor(radius[b]! * (1 + share)))
              : won[b]
                ? Math.min(radius[b]! * (1 - share), nearest)
                : Number.isFinite(nearest)
                  ? radius[b]! * (1 + share)
                  : toBorder(lengths[norm](d), Math.abs(value[b]!) / lengths[dualOf[norm]](g), grown(radius[b]!, share));
          radius[b] = Math.min(radius[b]!, roomOf(norm, image));
          if (slope > 0) for (let i = 0; i < d.length; i++) d[i]! -= (length * g[i]!) / slope;
          projections[norm](d, radius[b]!);
          intoBox(d, image);
        }
      }
    },
  }),
});
