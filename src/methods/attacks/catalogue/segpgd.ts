import { projectedAscent } from "../ascent/projected-ascent.js";
import { transfer } from "../ascent/transfer-parameters.js";
import { ball, grid, loss, randomStart, restarts, stepLength, steps } from "../parameters.js";

/** PGD that turns from the pixels that are still right to those that are wrong as it proceeds. */
export const segpgd = projectedAscent({
  name: "segpgd",
  title: "SegPGD",
  source: "Gu et al. 2022, algorithm 1",
  summary: "PGD whose pixels count 1 - t/2T where they are right at step t of T, t/2T where wrong",
  parameters: { ...ball, ...steps, ...stepLength, ...restarts, ...randomStart, ...grid, ...loss, ...transfer },
  parts: (parameters, { ascent, segPgd, transferring }) => ({ weight: segPgd, ...transferring(parameters, ascent) }),
});
