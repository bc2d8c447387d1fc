import { z } from "zod";
import { count, parameter, reach, smallestIn, successShare } from "../parameters.js";
import { smallestPerturbation } from "../smallest/smallest-perturbation.js";

/**
 * Decoupled direction and norm: a step along the normalized gradient, then back to a sphere whose radius shrinks by a factor 1 - γ where the prediction is
 * wrong and grows by 1 + γ where it is right. Steps fall from 1 to 0.01 along a cosine.
 */
export const ddn = smallestPerturbation({
  name: "ddn",
  title: "DDN",
  source: "Rony et al. 2019, algorithm 1",
  summary: "smallest perturbation: steps on a sphere that shrinks where the prediction is wrong and grows where it is right",
  extent: "image or pixels",
  parameters: {
    ...smallestIn("l_2"),
    ...reach,
    ...successShare,
    steps: parameter(count.default(100), { description: "number of steps" }),
    gamma: parameter(z.number().gt(0).lt(1).default(0.05), { description: "by which share the radius changes at a step" }),
    firstRadius: parameter(z.number().positive().default(1), {
      description: "radius at the first step",
      placeholder: "radius",
    }),
  },
  parts: ({ steps, gamma, firstRadius }, { annealed, crossEntropyLeft, intoBox, lengths, moved, roomOf }, goal) => ({
    objective: crossEntropyLeft(goal),
    async search(search) {
      const { clean, count } = search;
      const delta = new Float64Array(clean.length);
      const radius = new Float64Array(count).fill(firstRadius);
      for (let step = 0; step < steps; step++) {
        const { gradient, won } = await search.look(moved(clean, delta));
        const length = annealed(step / steps, 1, 0.01);
        for (let b = 0; b < count; b++) {
          const [d, g, image] = [search.row(delta, b), search.row(gradient, b), search.row(clean, b)];
          const slope = lengths.l_2(g);
          if (slope > 0) for (let i = 0; i < d.length; i++) d[i]! -= (length * g[i]!) / slope;
          radius[b] = Math.min(radius[b]! * (won[b] ? 1 - gamma : 1 + gamma), roomOf("l_2", image));
          const size = lengths.l_2(d);
          if (size > 0) for (let i = 0; i < d.length; i++) d[i]! *= radius[b]! / size;
          intoBox(d, image);
        }
      }
    },
  }),
});
