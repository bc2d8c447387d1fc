import type { Attack } from "../attack.js";
import { stay } from "../descent/stay.js";
import { uniform } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** No attack at all: a random point of the ball, the best of `restarts` draws. What every attack must beat. */
export const noise = (options: AttackOptions): Attack => ({
  name: "noise",
  source: "baseline",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: uniform,
  ...(options.loss && { loss: options.loss }),
  descent: stay,
  budget: { ...budget(options), steps: 1 },
  stepLengths: "none",
});
