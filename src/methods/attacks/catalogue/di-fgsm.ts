import { projectedAscent } from "../ascent/projected-ascent.js";
import { momentumAscent, usually } from "../ascent/transfer-parameters.js";

/** Iterated steps along gradients of images that are shrunk and padded at random. */
export const diFgsm = projectedAscent({
  name: "di-fgsm",
  title: "DI-FGSM",
  source: "Xie et al. 2019, section 3.3",
  summary: "iterated steps along gradients of images that are shrunk and padded at random; --decay 1 for M-DI²-FGSM",
  parameters: {
    ...momentumAscent,
    ...usually.decay(0),
    ...usually.inputDiversity(0.5),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
