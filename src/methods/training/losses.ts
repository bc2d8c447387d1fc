import type { Value, ValueType } from "../../engine/graph/graph.js";
import { type PixelFunction, type PixelOptions, type TaskName, tasks } from "../../vision/tasks/index.js";
import { TrainingError } from "./error.js";

/** What training lowers. */
export interface TrainingLoss {
  readonly name: string;
  readonly task: TaskName;
  /** Type of the target for a prediction of the given type. */
  readonly target: (prediction: ValueType) => ValueType;
  /** Whether a validity mask comes with each target: `valid`, float32 [B, H, W]. */
  readonly masked: boolean;
  /** Unreduced: what an attack on the network in training raises. */
  readonly perPixel: PixelFunction;
  /** One number from values per pixel and from what counts of them, both [B, ...]. */
  readonly reduceCounted: (perPixel: Value, counted: Value) => Value;
  /** 1 where the target counts, [B, ...]. */
  readonly counted: (prediction: Value, target: Value, valid?: Value) => Value;
  /** The scalar that is lowered. */
  readonly reduce: (prediction: Value, target: Value, valid?: Value) => Value;
  /** Labels without ground truth. */
  readonly ignore: readonly number[];
}

/**
 * A task's loss for training. Unlike the losses that attacks use by default, restored images are not clamped to [0, 1] first: a gradient
 * must reach values outside.
 *
 * @param ignore labels of pixels without ground truth; default those of the task.
 * @throws TrainingError for a loss that the task does not have.
 * @example trainingLoss("restoration", "psnr")
 */
export function trainingLoss(task: TaskName, name?: string, ignore: readonly number[] = tasks[task].ignore): TrainingLoss {
  const { trainedLosses: known, target, masked, counted } = tasks[task];
  const chosen = name ?? Object.keys(known)[0];
  if (chosen === undefined)
    throw new TrainingError(
      `There is no training for ${task}; train the model elsewhere, and give its ONNX export to faultline attack.`,
    );
  const definition = known[chosen];
  if (!definition)
    throw new TrainingError(`Training for ${task} has no loss "${chosen}"; it has ${Object.keys(known).join(", ")}.`);
  const { perPixel, reduce } = definition;
  return {
    name: chosen,
    task,
    target,
    masked,
    perPixel,
    reduceCounted: reduce,
    counted: (prediction, target, valid) => counted(prediction, target, { ignore, valid, scale: 1 }),
    reduce: (prediction, target, valid) => {
      const options: PixelOptions = { ignore, valid, scale: 1 };
      return reduce(perPixel(prediction, target, options), counted(prediction, target, options));
    },
    ignore,
  };
}
