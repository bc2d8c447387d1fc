import type { Attack } from "../attack.js";
import { ascent } from "../descent/ascent.js";
import { uniform } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** Iterated steps from a random point of the ball. */
export const pgd = (options: AttackOptions): Attack => ({
  name: "pgd",
  source: "Madry et al. 2018, eq. 2.3",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: uniform,
  ...(options.loss && { loss: options.loss }),
  descent: ascent,
  budget: budget(options),
});
