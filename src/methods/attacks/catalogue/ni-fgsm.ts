import { projectedAscent } from "../ascent/projected-ascent.js";
import { momentumAscent, usually } from "../ascent/transfer-parameters.js";

/** Momentum whose gradients are taken where it leads (Nesterov). */
export const niFgsm = projectedAscent({
  name: "ni-fgsm",
  title: "NI-FGSM",
  source: "Lin et al. 2020, eq. 6 to 8",
  summary: "momentum whose gradients are taken where it leads (Nesterov)",
  parameters: {
    ...momentumAscent,
    ...usually.nesterov("released"),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
