import type { Task } from "../../../vision/tasks/index.js";
import { type StepSchedule, stepSchedules } from "../ascent/step-schedule.js";
import type { LearnOptions } from "./wear.js";

interface CourseParameters {
  readonly steps: number;
  readonly stepSize: number;
  readonly schedule: StepSchedule;
  readonly loss?: LearnOptions["loss"];
  readonly clipLoss?: number | undefined;
}

/**
 * How learning goes by its parameters. Where nothing else is said, losses of classes count up to 9, as Shafahi et al. 2020 have it.
 *
 * @example courseOf({ steps: 10, stepSize: 0.01, schedule: "linear" }, task).stepSize(5); // 0.005
 */
export function courseOf(
  { steps, stepSize, schedule, loss, clipLoss }: CourseParameters,
  { kind }: Pick<Task, "kind">,
): LearnOptions {
  return {
    steps,
    stepSize: (step: number) => stepSize * stepSchedules[schedule](step, steps),
    loss,
    most: clipLoss ?? (kind === "classes" ? 9 : undefined),
  };
}
