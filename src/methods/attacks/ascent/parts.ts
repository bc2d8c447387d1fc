import type { Task } from "../../../vision/tasks/index.js";
import { lossOf } from "../evaluation-graph.js";
import { norms } from "../norms/index.js";
import type { DescentRule, Norm, ProjectedAscent } from "./ascent.js";
import { type ApgdRules, apgd } from "./descent/apgd.js";
import { looks } from "./looks.js";
import { demandAlignment } from "./weights.js";

export { norms } from "../norms/index.js";
/** What projected ascents are made of. */
export { ascent } from "./descent/ascent.js";
export { fewestRemaining } from "./descent/fewest-remaining.js";
export { momentum } from "./descent/momentum.js";
export { noStep } from "./descent/no-step.js";
export { momentumTransferring, transferring } from "./transfer.js";
export { cosPgd, segPgd, uniform } from "./weights.js";

/** Auto-PGD in a norm: its own rules for l_1 (Croce & Hein 2021), else those that are asked for. */
export const autoPgdIn = (norm: Norm["name"], rules: ApgdRules, radii: "constant" | "shrinking" = "constant"): DescentRule =>
  norms[norm].autoPgd?.(radii) ?? apgd(rules);

/** @throws AttackError where a task has not the loss or the alignment that an ascent is made with, nothing would move by it, or it moves pixels from their targets. */
export function demandParts(ascent: ProjectedAscent, task: Task): void {
  looks(ascent, { task });
  lossOf(ascent, task);
  if (ascent.tracked !== undefined) lossOf({ loss: ascent.tracked }, task);
  demandAlignment(ascent.weight, task, ascent.goal);
}
