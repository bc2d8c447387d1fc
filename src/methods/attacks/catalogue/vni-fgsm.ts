import { ball, grid, loss, optionalRandomStart, restarts, stepLength, steps } from "../parameters.js";
import { projectedAscent } from "../projected-ascent.js";
import { momentum, transfer, usually } from "../transfer-parameters.js";

/** Vmi-fgsm with the look ahead of ni-fgsm. */
export const vniFgsm = projectedAscent({
  name: "vni-fgsm",
  title: "VNI-FGSM",
  source: "Wang & He 2021, section 3.2",
  summary: "vmi-fgsm with the look ahead of ni-fgsm",
  parameters: {
    ...ball,
    ...steps,
    ...stepLength,
    ...restarts,
    ...optionalRandomStart,
    ...grid,
    ...loss,
    ...momentum,
    ...transfer,
    ...usually.nesterov("released"),
    ...usually.variance(20),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
