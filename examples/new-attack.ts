import { type Attack, type AttackOptions, ascent, budget, mul, type PixelWeight, stopGradient } from "../src/index.js";

/** 4 c (1 - c) for the alignment c of prediction and target: pixels that waver between right and wrong count most. */
const wavering: PixelWeight = {
  name: "wavering",
  pixels: "differ",
  weigh: ({ task, prediction, target, options }) => {
    const { cosine, complement } = Object.values(task.alignments)[0]!;
    const c = cosine(prediction, target, options);
    return stopGradient(mul(mul(c, complement(prediction, target, options)), 4));
  },
  batch: "mean",
};

/** PGD that pushes where a push decides. */
export const waveringPgd = (options: AttackOptions): Attack => ({
  name: "wavering-pgd",
  source: "docs/adding-an-attack.md",
  norm: options.norm,
  goal: options.goal ?? "untargeted",
  start: options.start ?? "random",
  weight: wavering,
  descent: ascent,
  budget: budget(options),
});
