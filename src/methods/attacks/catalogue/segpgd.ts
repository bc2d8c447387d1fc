import type { Attack } from "../attack.js";
import { ascent } from "../descent/ascent.js";
import { segPgd } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** PGD that turns from the pixels that are still right to those that are wrong as it proceeds. */
export const segpgd = (options: AttackOptions): Attack => ({
  name: "segpgd",
  source: "Gu et al. 2022, algorithm 1",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: segPgd,
  ...(options.loss && { loss: options.loss }),
  descent: ascent,
  budget: budget(options),
});
