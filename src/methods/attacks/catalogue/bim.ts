import type { Attack } from "../attack.js";
import { ascent } from "../descent/ascent.js";
import { uniform } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** Iterated steps from the clean image. */
export const bim = (options: AttackOptions): Attack => ({
  name: "bim",
  source: "Kurakin et al. 2017, section 2.2",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "clean",
  weight: uniform,
  ...(options.loss && { loss: options.loss }),
  descent: ascent,
  budget: budget(options),
});
