import type { Attack } from "../attack.js";
import { apgd as autoPgd } from "../descent/apgd.js";
import { uniform } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** Auto-PGD: no step size to tune. Its loss is the task's (cross-entropy, dlr, ...). */
export const apgd = (options: AttackOptions): Attack => ({
  name: "apgd",
  source: "Croce & Hein 2020, algorithm 1",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: uniform,
  ...(options.loss && { loss: options.loss }),
  descent: options.norm.autoPgd ?? autoPgd("paper"),
  budget: budget(options),
  stepLengths: "own",
});
