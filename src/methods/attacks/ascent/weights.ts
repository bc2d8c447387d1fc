import { add, mul, stopGradient, sub } from "../../../engine/operators/index.js";
import type { Alignment, Task } from "../../../vision/tasks/index.js";
import type { Goal } from "../attacked-model.js";
import { AttackError } from "../error.js";
import type { PixelWeight } from "./ascent.js";

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

/** The alignment of that name, or the task's published one. @throws AttackError */
function alignmentOf({ name, alignments }: Task, wanted: string | undefined): Alignment {
  const align = wanted === undefined ? Object.values(alignments)[0] : alignments[wanted];
  if (!align) throw new AttackError(`Task ${name} has no alignment "${wanted}"; it has ${Object.keys(alignments).join(", ")}.`);
  return align;
}

/** CosPGD (Agnihotri et al. 2024, eq. 5 and 6): the alignment of prediction and target; towards a target, one minus it. */
export const cosPgd = (alignment?: string): PixelWeight => ({
  name: `cospgd${alignment ? `, ${alignment} alignment` : ""}`,
  pixels: "differ",
  alignment: alignment ?? "published",
  weigh: ({ task, prediction, target, options, goal }) => {
    const align = alignmentOf(task, alignment);
    return stopGradient((goal === "untargeted" ? align.cosine : align.complement)(prediction, target, options));
  },
  batch: "mean",
});

/** @throws AttackError where a task has not the alignment that a weight weighs by, or it is the same everywhere and nothing would move. */
export function demandAlignment({ alignment }: PixelWeight, task: Task, goal: Goal): void {
  if (alignment === undefined) return;
  const { leastChannels = 0 } = alignmentOf(task, alignment === "published" ? undefined : alignment);
  if (goal === "targeted" && leastChannels > (task.channels ?? Number.POSITIVE_INFINITY))
    throw new AttackError(
      `The ${alignment} alignment is 1 everywhere on one channel, so towards a target each pixel weighs 1 - 1 = 0 and nothing moves; say --alignment residual (in code: alignment: "residual"), or take pgd.`,
    );
}
