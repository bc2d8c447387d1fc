import type { PixelFunction, TaskName } from "../../vision/tasks/index.js";

/** A loss of one's own, which `--loss` then knows for a task. */
export interface TaskLoss {
  readonly kind: "loss";
  readonly task: TaskName;
  readonly name: string;
  readonly loss: PixelFunction;
}

/**
 * @example
 * export default taskLoss("segmentation", "margin", (prediction, target, options) => ...);
 */
export const taskLoss = (task: TaskName, name: string, loss: PixelFunction): TaskLoss => ({ kind: "loss", task, name, loss });
