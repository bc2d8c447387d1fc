import { projectedAscent } from "../ascent/projected-ascent.js";
import { ball, grid, loss } from "../parameters.js";

/** One step of full length from the clean image. */
export const fgsm = projectedAscent({
  name: "fgsm",
  title: "FGSM",
  source: "Goodfellow et al. 2015, section 4",
  summary: "one step of length epsilon from the clean image",
  parameters: { ...ball, ...grid, ...loss },
  parts: (_, { ascent }) => ({ descent: ascent }),
});
