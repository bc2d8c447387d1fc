import { add, mul, stopGradient, sub } from "../../engine/operators/index.js";
import type { PixelWeight } from "./attack.js";
import { AttackError } from "./error.js";

/** Every pixel counts alike (PGD and its kin). */
export const uniform: PixelWeight = { name: "uniform", pixels: "alike", weigh: () => undefined, batch: "mean" };

/**
 * SegPGD (Gu et al. 2022, eq. 5): at step t of T, λ = t / 2T; pixels that are still right count 1 - λ, wrong ones λ. Towards a target the roles
 * swap: pixels that show it already count λ. The sum over the batch follows the official function.
 */
export const segPgd: PixelWeight = {
  name: "segpgd",
  pixels: "differ",
  weigh: ({ task, prediction, target, options, goal, progress }) => {
    const lambda = mul(progress, 0.5);
    const right = task.correct(prediction, target, options);
    const [onRight, onWrong] = goal === "untargeted" ? [sub(1, lambda), lambda] : [lambda, sub(1, lambda)];
    return stopGradient(add(mul(right, onRight), mul(sub(task.counted(prediction, target, options), right), onWrong)));
  },
  batch: "sum",
};

/** CosPGD (Agnihotri et al. 2024, eq. 5 and 6): the alignment of prediction and target; towards a target, one minus it. */
export const cosPgd = (alignment?: string): PixelWeight => ({
  name: `cospgd${alignment ? `, ${alignment} alignment` : ""}`,
  pixels: "differ",
  alignment: alignment ?? "published",
  weigh: ({ task, prediction, target, options, goal }) => {
    const align = alignment === undefined ? Object.values(task.alignments)[0]! : task.alignments[alignment];
    if (!align)
      throw new AttackError(
        `Task ${task.name} has no alignment "${alignment}"; it has ${Object.keys(task.alignments).join(", ")}.`,
      );
    return stopGradient((goal === "untargeted" ? align.cosine : align.complement)(prediction, target, options));
  },
  batch: "mean",
});
