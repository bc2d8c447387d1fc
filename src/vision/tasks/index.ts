import { classification } from "./classification.js";
import { disparity } from "./disparity.js";
import { flow } from "./flow.js";
import { restoration } from "./restoration.js";
import { segmentation } from "./segmentation.js";
import type { Task, TaskName } from "./task.js";

export type { Alignment, PixelFunction, PixelOptions, Task, TaskName } from "./task.js";

export const tasks: Readonly<Record<TaskName, Task>> = { classification, segmentation, flow, disparity, restoration };
