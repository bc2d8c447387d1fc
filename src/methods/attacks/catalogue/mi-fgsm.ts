import { projectedAscent } from "../ascent/projected-ascent.js";
import { momentumAscent } from "../ascent/transfer-parameters.js";

/** Iterated steps along an accumulated gradient, from the clean image. */
export const miFgsm = projectedAscent({
  name: "mi-fgsm",
  title: "MI-FGSM",
  source: "Dong et al. 2018, algorithm 1",
  summary: "iterated steps along an accumulated gradient, g / ‖g‖₁ each, from the clean image",
  parameters: momentumAscent,
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
