import { projectedAscent } from "../ascent/projected-ascent.js";
import { transfer } from "../ascent/transfer-parameters.js";
import { ball, grid, loss, randomStart, restarts, stepLength, steps } from "../parameters.js";

/** Iterated steps from a random point of the ball. */
export const pgd = projectedAscent({
  name: "pgd",
  title: "PGD",
  source: "Madry et al. 2018, eq. 2.3",
  summary: "iterated steps from a random point of the ball",
  parameters: { ...ball, ...steps, ...stepLength, ...restarts, ...randomStart, ...grid, ...loss, ...transfer },
  parts: (parameters, { ascent, transferring }) => transferring(parameters, ascent),
});
