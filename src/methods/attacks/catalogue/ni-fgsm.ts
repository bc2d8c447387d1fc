import { ball, grid, loss, optionalRandomStart, restarts, stepLength, steps } from "../parameters.js";
import { projectedAscent } from "../projected-ascent.js";
import { momentum, transfer, usually } from "../transfer-parameters.js";

/** Momentum whose gradients are taken where it leads (Nesterov). */
export const niFgsm = projectedAscent({
  name: "ni-fgsm",
  title: "NI-FGSM",
  source: "Lin et al. 2020, eq. 6 to 8",
  summary: "momentum whose gradients are taken where it leads (Nesterov)",
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
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
