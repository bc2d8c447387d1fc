import type { Task } from "../../../vision/tasks/index.js";
import { type StepSchedule, stepSchedules } from "../step-schedule.js";
import type { Lessons } from "./fitted.js";
import type { LearnOptions } from "./wear.js";

/** Steps that go `epochs` times through the samples. */
export const stepsOf = ({ epochs }: { readonly epochs: number }, { samples, size }: Pick<Lessons, "samples" | "size">): number =>
  Math.ceil((epochs * samples) / size);

interface CourseParameters {
  readonly epochs: number;
  readonly stepSize: number;
  readonly schedule: StepSchedule;
  readonly loss?: LearnOptions["loss"];
  readonly clipLoss?: number | undefined;
}

/**
 * How learning goes by its parameters. Where nothing else is said, losses of classes count up to 9, as Shafahi et al. 2020 have it.
 *
 * @example courseOf({ epochs: 10, stepSize: 0.01, schedule: "linear" }, { samples: 50, size: 5 }, task).steps; // 100
 */
export function courseOf(
  parameters: CourseParameters,
  lessons: Pick<Lessons, "samples" | "size">,
  { kind }: Pick<Task, "kind">,
): LearnOptions {
  const { stepSize, schedule, loss, clipLoss } = parameters;
  const steps = stepsOf(parameters, lessons);
  return {
    steps,
    stepSize: (step: number) => stepSize * stepSchedules[schedule](step, steps),
    loss,
    most: clipLoss ?? (kind === "classes" ? 9 : undefined),
  };
}
