import type { Attack } from "../attack.js";
import { apgd as autoPgd } from "../descent/apgd.js";
import { uniform } from "../weights.js";
import { type AttackOptions, budget } from "./options.js";

/** Auto-PGD by the rules of its authors' released code, for comparing numbers. */
export const apgdReleased = (options: AttackOptions): Attack => ({
  name: "apgd-released",
  source: "the released code of Croce & Hein 2020",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: uniform,
  ...(options.loss && { loss: options.loss }),
  descent: options.norm.autoPgd ?? autoPgd("released-code"),
  budget: budget(options),
  stepLengths: "own",
});
