import type { Attack } from "../attack.js";
import { apgd as autoPgd } from "../descent/apgd.js";
import { cosPgd } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** Auto-PGD on CosPGD's weighted loss. */
export const apgdCospgd = (options: AttackOptions): Attack => ({
  name: "apgd-cospgd",
  source: "Croce & Hein 2020 with the weight of Agnihotri et al. 2024",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: cosPgd(options.alignment),
  ...(options.loss && { loss: options.loss }),
  descent: autoPgd("paper"),
  budget: budget(options),
});
