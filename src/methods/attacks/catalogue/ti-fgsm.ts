import { projectedAscent } from "../ascent/projected-ascent.js";
import { momentumAscent, usually } from "../ascent/transfer-parameters.js";

/** Iterated steps along smoothed gradients, which stand for those of shifted images. */
export const tiFgsm = projectedAscent({
  name: "ti-fgsm",
  title: "TI-FGSM",
  source: "Dong et al. 2019, eq. 8",
  summary: "iterated steps along smoothed gradients, which stand for those of shifted images",
  parameters: {
    ...momentumAscent,
    ...usually.decay(0),
    ...usually.translation(15),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
