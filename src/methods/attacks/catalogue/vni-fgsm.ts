import { projectedAscent } from "../ascent/projected-ascent.js";
import { momentumAscent, usually } from "../ascent/transfer-parameters.js";

/** Vmi-fgsm with the look ahead of ni-fgsm. */
export const vniFgsm = projectedAscent({
  name: "vni-fgsm",
  title: "VNI-FGSM",
  source: "Wang & He 2021, section 3.2",
  summary: "vmi-fgsm with the look ahead of ni-fgsm",
  parameters: {
    ...momentumAscent,
    ...usually.nesterov("released"),
    ...usually.variance(20),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
