import type { Attack } from "../attack.js";
import { ascent } from "../descent/ascent.js";
import { uniform } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** One step of full length from the clean image. */
export const fgsm = (options: AttackOptions): Attack => ({
  name: "fgsm",
  source: "Goodfellow et al. 2015, section 4",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: "clean",
  weight: uniform,
  ...(options.loss && { loss: options.loss }),
  descent: ascent,
  budget: { ...budget(options), steps: 1, stepSize: options.epsilon },
  stepLengths: "one full step",
});
