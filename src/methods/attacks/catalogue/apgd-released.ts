import { projectedAscent } from "../ascent/projected-ascent.js";
import { ball, grid, loss, radii, randomStart, restarts, steps, tracked } from "../parameters.js";

/** Auto-PGD by the rules of its authors' released code, for comparing numbers. */
export const apgdReleased = projectedAscent({
  name: "apgd-released",
  title: "Auto-PGD (as released)",
  source: "the released code of Croce & Hein 2020",
  summary: "apgd by the rules of its authors' code, which differs from the paper",
  parameters: { ...ball, ...steps, ...restarts, ...randomStart, ...radii, ...grid, ...loss, ...tracked },
  parts: ({ norm, radii }, { autoPgdIn }) => ({ descent: autoPgdIn(norm, "released-code", radii) }),
});
