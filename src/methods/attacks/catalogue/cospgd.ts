import type { Attack } from "../attack.js";
import { ascent } from "../descent/ascent.js";
import { cosPgd } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** PGD whose pixels count by the cosine between prediction and target. */
export const cospgd = (options: AttackOptions): Attack => ({
  name: "cospgd",
  source: "Agnihotri et al. 2024, algorithm 1",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: cosPgd(options.alignment),
  ...(options.loss && { loss: options.loss }),
  descent: ascent,
  budget: budget(options),
});
