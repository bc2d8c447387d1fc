import { projectedAscent } from "../ascent/projected-ascent.js";
import { ball, grid, loss, radii, randomStart, restarts, steps, tracked } from "../parameters.js";

/**
 * Auto-PGD on SegPGD's weighted loss, which Croce et al. 2023 call balanced cross-entropy. As in their code, Auto-PGD moves by its released rules, and the
 * iterate with the fewest pixels still to win is the result.
 */
export const apgdSegpgd = projectedAscent({
  name: "apgd-segpgd",
  title: "Auto-PGD with SegPGD's weights",
  source: "Croce et al. 2023, section 3.1 (balanced cross-entropy), with the weight of Gu et al. 2022",
  summary: "apgd on SegPGD's loss; keeps the iterate with the fewest pixels still to win",
  parameters: { ...ball, ...steps, ...restarts, ...radii, ...randomStart, ...grid, ...loss, ...tracked },
  parts: ({ norm, radii }, { autoPgdIn, segPgd, fewestRemaining }) => ({
    weight: segPgd,
    descent: fewestRemaining(autoPgdIn(norm, "released-code", radii)),
  }),
});
