import type { Task } from "../../../../vision/tasks/index.js";
import type { DescentRule, ProjectedAscent } from "../ascent.js";
import { fewestRemaining } from "./fewest-remaining.js";
import { onGrid } from "./on-grid.js";

/**
 * The rule by which an attack moves on a task. Where predictions are right or wrong, the best iterate is the one with the fewest pixels still right: a
 * wrong prediction of lower loss is a success, a right one of higher loss is none. On the 8-bit grid, what the model sees is rounded.
 */
export function ruleOf({ descent, budget }: ProjectedAscent, { judgedBy }: Task): DescentRule {
  const judged = judgedBy === "correct" && descent.result === "highest objective" ? fewestRemaining(descent) : descent;
  return budget.grid === "8-bit" ? onGrid(judged) : judged;
}
