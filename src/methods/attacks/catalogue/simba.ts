import { z } from "zod";
import { parameter } from "../parameters.js";
import { copies, cutToBox, distance } from "../query/ball.js";
import { type Directions, pixelDirections, waveDirections } from "../query/directions.js";
import { queryAttack, queryLoss, queryParameters } from "../query/query-attack.js";
import type { Queried, Search } from "../query/search.js";

/** SimBA (Guo et al. 2019): one orthonormal direction after the other, forth or back where that raises the loss. */
export const simba = queryAttack({
  name: "simba",
  title: "SimBA",
  source: "Guo et al. 2019, algorithm 1",
  summary: "one pixel or cosine wave after the other, forth or back; sees predictions alone",
  parameters: {
    ...queryParameters(5000),
    basis: parameter(z.enum(["pixel", "dct"]).default("pixel"), {
      description: "directions: pixel = one value of the picture, dct = one cosine wave",
    }),
    frequencies: parameter(
      z
        .number()
        .positive()
        .max(1)
        .default(1 / 8),
      {
        description: "basis dct: share of the frequencies of each axis, the lowest first",
        placeholder: "share",
      },
    ),
    change: parameter(z.number().positive().default(0.2), { description: "length of one change", placeholder: "length" }),
    radius: parameter(z.number().positive().optional(), {
      description: "radius in l_2 that the perturbation stays in",
      placeholder: "length",
      usual: "none: as far as the queries lead",
    }),
    ...queryLoss(),
  },
  budget: ({ radius }) => ({ norm: "l_2", ...(radius !== undefined && { epsilon: radius }) }),
  search: ({ basis, frequencies, change, radius = Number.POSITIVE_INFINITY, loss }) => ({
    loss,
    search: (sample) => {
      const size = { pictures: sample.clean.length, ...sample };
      const directions = basis === "pixel" ? pixelDirections(size) : waveDirections(size, frequencies);
      return search(sample, directions, change, radius);
    },
  }),
});

function* search({ clean, judged, random }: Queried, { count, at }: Directions, change: number, radius: number): Search {
  let best = copies(clean);
  let highest = judged.objective;
  // When all directions are used up, they are gone through again, as the authors' code does.
  for (let asked = true; asked; ) {
    asked = false;
    for (const k of random.permutation(count)) {
      const { picture, add } = at(k);
      for (const way of [1, -1]) {
        const next = best.map((p, i) => (i === picture ? p.slice() : p));
        add(next[picture]!, way * change);
        // Nearer to the clean picture than it would be outside of [0, 1].
        cutToBox(next[picture]!);
        if (distance("l_2", next[picture]!, clean[picture]!) > radius) continue;
        asked = true;
        const [answer] = yield { ask: [next], as: "candidate" };
        if (!answer || answer.objective <= highest) continue;
        [best, highest] = [next, answer.objective];
        break;
      }
    }
  }
}
