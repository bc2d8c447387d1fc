import type { Attack } from "../attack.js";
import { momentum } from "../descent/momentum.js";
import { uniform } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** Iterated steps along an accumulated gradient (momentum 1), from the clean image. */
export const miFgsm = (options: AttackOptions): Attack => ({
  name: "mi-fgsm",
  source: "Dong et al. 2018, algorithm 1",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "clean",
  weight: uniform,
  ...(options.loss && { loss: options.loss }),
  descent: momentum(),
  budget: budget(options),
});
