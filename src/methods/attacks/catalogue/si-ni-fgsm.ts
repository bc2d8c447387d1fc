import { projectedAscent } from "../ascent/projected-ascent.js";
import { momentumAscent, usually } from "../ascent/transfer-parameters.js";

/** Ni-fgsm whose gradients are means over darker and darker copies of the image. */
export const siNiFgsm = projectedAscent({
  name: "si-ni-fgsm",
  title: "SI-NI-FGSM",
  source: "Lin et al. 2020, algorithm 1",
  summary: "ni-fgsm whose gradients are means over darker and darker copies of the image",
  parameters: {
    ...momentumAscent,
    ...usually.nesterov("released"),
    ...usually.scales(5),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
