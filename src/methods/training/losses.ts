import type { Value, ValueType } from "../../engine/graph/graph.js";
import { add, clip, div, log, mul, reduceMean, reduceSum, sqrt, sub } from "../../engine/operators/index.js";
import { crossEntropy } from "../../vision/tasks/classes.js";
import { type PixelFunction, type PixelOptions, type TaskName, tasks } from "../../vision/tasks/index.js";
import { endPointError, l1, l2, masked } from "../../vision/tasks/regression.js";
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
  /** The scalar that is lowered. */
  readonly reduce: (prediction: Value, target: Value, valid?: Value) => Value;
  /** Labels without ground truth. */
  readonly ignore: readonly number[];
}

/**
 * Charbonnier loss, mean over the channels of √(d² + ε²), ε = 10⁻³ (Charbonnier et al. 1994; Lai et al. 2017, eq. 2): an L1 loss that is
 * smooth at 0.
 */
export const charbonnier: PixelFunction = (p, y, options) => {
  const d = sub(p, y);
  return masked(div(reduceSum(sqrt(add(mul(d, d), 1e-6)), [1], "drop"), p.shape[1]!), options);
};

type Reduction = (perPixel: Value, counted: Value) => Value;

/** Mean over the pixels that count, as PyTorch's losses with `ignore_index`; 0 where none does. */
const meanOfCounted: Reduction = (perPixel, counted) => div(reduceSum(perPixel), clip(reduceSum(counted), 1));

/** -PSNR in dB of each image, averaged: 10 / ln 10 · mean_b ln(MSE_b + 10⁻⁸), the loss of NAFNet (Chen et al. 2022). */
const negativePsnr: Reduction = (squares) => {
  const perImage = reduceMean(squares, [1, 2], "drop");
  return mul(reduceMean(log(add(perImage, 1e-8))), 10 / Math.LN10);
};

interface Definition {
  readonly perPixel: PixelFunction;
  readonly reduction: Reduction;
}

const mean = (perPixel: PixelFunction): Definition => ({ perPixel, reduction: meanOfCounted });

/** The losses of each task by name; the first is the default. */
export const trainingLosses: Readonly<Record<TaskName, Readonly<Record<string, Definition>>>> = {
  classification: { "cross-entropy": mean(crossEntropy) },
  segmentation: { "cross-entropy": mean(crossEntropy) },
  restoration: {
    l1: mean(l1),
    mse: mean(l2),
    charbonnier: mean(charbonnier),
    psnr: { perPixel: l2, reduction: negativePsnr },
  },
  flow: { "end-point-error": mean(endPointError), l1: mean(l1), mse: mean(l2), charbonnier: mean(charbonnier) },
  disparity: { l1: mean(l1), mse: mean(l2), charbonnier: mean(charbonnier) },
};

/**
 * A task's loss for training. Unlike the losses that attacks use by default, restored images are not clamped to [0, 1] first: a gradient
 * must reach values outside.
 *
 * @param ignore labels of pixels without ground truth; default those of the task.
 * @throws TrainingError for a loss that the task does not have.
 * @example trainingLoss("restoration", "psnr")
 */
export function trainingLoss(task: TaskName, name?: string, ignore: readonly number[] = tasks[task].ignore): TrainingLoss {
  const known = trainingLosses[task];
  const chosen = name ?? Object.keys(known)[0]!;
  const definition = known[chosen];
  if (!definition)
    throw new TrainingError(`Training for ${task} has no loss "${chosen}"; it has ${Object.keys(known).join(", ")}.`);
  const { perPixel, reduction } = definition;
  return {
    name: chosen,
    task,
    target: tasks[task].target,
    masked: task === "flow" || task === "disparity",
    perPixel,
    reduce: (prediction, target, valid) => {
      const options: PixelOptions = { ignore, valid, scale: 1 };
      return reduction(perPixel(prediction, target, options), tasks[task].counted(prediction, target, options));
    },
    ignore,
  };
}
