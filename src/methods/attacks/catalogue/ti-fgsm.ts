import { ball, grid, loss, optionalRandomStart, restarts, stepLength, steps } from "../parameters.js";
import { projectedAscent } from "../projected-ascent.js";
import { momentum, transfer, usually } from "../transfer-parameters.js";

/** Iterated steps along smoothed gradients, which stand for those of shifted images. */
export const tiFgsm = projectedAscent({
  name: "ti-fgsm",
  title: "TI-FGSM",
  source: "Dong et al. 2019, eq. 8",
  summary: "iterated steps along smoothed gradients, which stand for those of shifted images",
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
    ...usually.decay(0),
    ...usually.translation(15),
  },
  parts: (parameters, { momentumTransferring }) => momentumTransferring(parameters),
});
