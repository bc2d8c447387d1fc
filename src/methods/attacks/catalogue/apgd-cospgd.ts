import { projectedAscent } from "../ascent/projected-ascent.js";
import { alignment, ball, grid, loss, radii, randomStart, restarts, steps, tracked } from "../parameters.js";

/** Auto-PGD on CosPGD's weighted loss; what counts in the end is how many pixels are won, since that loss falls as they are. */
export const apgdCospgd = projectedAscent({
  name: "apgd-cospgd",
  title: "Auto-PGD with CosPGD's weights",
  source: "Croce & Hein 2020 with the weight of Agnihotri et al. 2024",
  summary: "apgd on CosPGD's loss; keeps the iterate with the fewest pixels still to win",
  parameters: { ...ball, ...steps, ...restarts, ...randomStart, ...radii, ...grid, ...loss, ...tracked, ...alignment },
  parts: ({ norm, radii, alignment }, { autoPgdIn, cosPgd, fewestRemaining }) => ({
    weight: cosPgd(alignment),
    descent: fewestRemaining(autoPgdIn(norm, "paper", radii)),
  }),
});
