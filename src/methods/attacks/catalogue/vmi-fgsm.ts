import { projectedAscent } from "../ascent/projected-ascent.js";
import { momentumAscent, usually } from "../ascent/transfer-parameters.js";

/** Momentum of gradients that are tuned by those around the last iterate. */
export const vmiFgsm = projectedAscent({
  name: "vmi-fgsm",
  title: "VMI-FGSM",
  source: "Wang & He 2021, algorithm 1",
  summary: "momentum of gradients that are tuned by those around the last iterate",
  parameters: {
    ...momentumAscent,
    ...usually.variance(20),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
