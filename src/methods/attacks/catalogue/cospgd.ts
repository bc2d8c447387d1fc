import { projectedAscent } from "../ascent/projected-ascent.js";
import { transfer } from "../ascent/transfer-parameters.js";
import { alignment, ball, grid, loss, randomStart, restarts, stepLength, steps } from "../parameters.js";

/** PGD whose pixels count by the cosine between prediction and target. */
export const cospgd = projectedAscent({
  name: "cospgd",
  title: "CosPGD",
  source: "Agnihotri et al. 2024, algorithm 1",
  summary: "PGD whose pixels count by the cosine between prediction and target",
  parameters: { ...ball, ...steps, ...stepLength, ...restarts, ...randomStart, ...grid, ...loss, ...alignment, ...transfer },
  parts: ({ alignment, ...parameters }, { ascent, cosPgd, transferring }) => ({
    weight: cosPgd(alignment),
    ...transferring(parameters, ascent),
  }),
});
