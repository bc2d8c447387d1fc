import type { Attack } from "../attack.js";
import { apgd as autoPgd } from "../descent/apgd.js";
import { fewestRemaining } from "../descent/fewest-remaining.js";
import { cosPgd } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** Auto-PGD on CosPGD's weighted loss; what counts in the end is how many pixels are won, since that loss falls as they are. */
export const apgdCospgd = (options: AttackOptions): Attack => ({
  name: "apgd-cospgd",
  source: "Croce & Hein 2020 with the weight of Agnihotri et al. 2024",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: cosPgd(options.alignment),
  ...(options.loss && { loss: options.loss }),
  descent: fewestRemaining(options.norm.autoPgd ?? autoPgd("paper")),
  budget: budget(options),
  stepLengths: "own",
});
