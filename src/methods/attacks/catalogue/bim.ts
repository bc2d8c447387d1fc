import { projectedAscent } from "../ascent/projected-ascent.js";
import { ball, grid, loss, stepLength, steps } from "../parameters.js";

/** Iterated steps from the clean image. */
export const bim = projectedAscent({
  name: "bim",
  title: "BIM",
  source: "Kurakin et al. 2017, section 2.2",
  summary: "iterated steps from the clean image",
  parameters: { ...ball, ...steps, ...stepLength, ...grid, ...loss },
  parts: (_, { ascent }) => ({ descent: ascent }),
});
