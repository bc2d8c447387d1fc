import { classification } from "./classification.js";
import { depth } from "./depth/index.js";
import { detection } from "./detection/index.js";
import { disparity } from "./disparity.js";
import { flow } from "./flow.js";
import type { TaskName } from "./names.js";
import { restoration } from "./restoration.js";
import { segmentation } from "./segmentation.js";
import type { Task } from "./task.js";

export { type TaskName, taskNames } from "./names.js";
export {
  type Alignment,
  type DeclaredOutput,
  type Flip,
  type Judging,
  type Look,
  type MeasureOptions,
  type OutputRule,
  type OutputSpec,
  type PixelFunction,
  type PixelOptions,
  type Placement,
  type PlacementRule,
  type Task,
  type TrainedLoss,
  type Turn,
  WishError,
  type WishMaker,
  type WishRule,
} from "./task.js";

/** Every task by its name. What is true of one stands on its definition. */
export const tasks = { classification, segmentation, detection, flow, disparity, depth, restoration } satisfies Record<
  TaskName,
  Task
> as Readonly<Record<TaskName, Task>>;
