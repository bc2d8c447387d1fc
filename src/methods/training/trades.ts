import type { Value } from "../../engine/graph/graph.js";
import { argMax, mul } from "../../engine/operators/index.js";
import { Random } from "../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Alignment, PixelFunction, Task } from "../../vision/tasks/index.js";
import { TrainingError } from "./error.js";
import type { TrainingLoss } from "./losses.js";

/**
 * TRADES (Zhang et al. 2019, eq. 5): the loss of clean images, and β times how far predictions of attacked ones lie from those of the clean: L(f(x), y) + β KL(f(x) ‖ f(x')).
 * The gradient goes through both predictions, as in the authors' code.
 */
export interface Trades {
  /** Weight of the second term, 1/λ in the paper; 6 is usual. */
  readonly beta: number;
}

/** How far one prediction lies from another, for each pixel. @throws TrainingError where a task has no such measure. */
export function divergenceOf({ name, divergence }: Task): NonNullable<Task["divergence"]> {
  if (!divergence)
    throw new TrainingError(
      `TRADES compares distributions over classes, and ${name} predicts none; leave "trades" out, and train against the attack itself.`,
    );
  return divergence;
}

/** The second term, without β: a mean over the pixels that count, as the loss's is. */
export const disagreement = (
  task: Task,
  { reduceCounted }: Pick<TrainingLoss, "reduceCounted">,
  { attacked, clean, counted }: { readonly attacked: Value; readonly clean: Value; readonly counted: Value },
): Value => reduceCounted(mul(divergenceOf(task)(attacked, clean), counted), counted);

/**
 * A task whose truth is what the network predicts for the clean image: the target is that prediction (logits), and what the inner attack raises is the
 * divergence from it. What the task compares with labels is compared with the classes that come first there.
 */
export function agreeing(task: Task): { readonly task: Task; readonly loss: PixelFunction } {
  const divergence = divergenceOf(task);
  const counts = (perPixel: Value, valid: Value | undefined) => (valid ? mul(perPixel, valid) : perPixel);
  const likeLabels =
    (of: PixelFunction): PixelFunction =>
    (prediction, clean, options) =>
      of(prediction, argMax(clean, 1, "drop"), { ...options, ignore: [] });
  const aligned = ({ cosine, complement, ...about }: Alignment): Alignment => ({
    ...about,
    cosine: likeLabels(cosine),
    complement: likeLabels(complement),
  });
  const loss: PixelFunction = (prediction, clean, { valid }) => counts(divergence(prediction, clean), valid);
  return {
    loss,
    task: {
      ...task,
      target: ({ shape }) => ({ type: "float32", shape }),
      losses: { divergence: loss },
      alignments: Object.fromEntries(Object.entries(task.alignments).map(([name, a]) => [name, aligned(a)])),
      correct: likeLabels(task.correct),
      counted: likeLabels(task.counted),
      judgedBy: "loss",
    },
  };
}

/** Where the inner attack begins: x + 0.001 n for standard normal n, clipped to [0, 1], as published. (At x itself the divergence has no slope.) */
export function besideClean(
  images: Readonly<Record<string, Tensor<"float32">>>,
  seed: string,
): Record<string, Tensor<"float32">> {
  const near = ([role, { shape, data }]: [string, Tensor<"float32">]) => {
    const random = new Random(seed, `beside/${role}`);
    const moved = Float32Array.from({ length: sizeOf(shape) }, (_, i) =>
      Math.min(1, Math.max(0, data[i]! + random.normal(0, 0.001))),
    );
    return [role, tensor("float32", shape, moved)] as const;
  };
  return Object.fromEntries(Object.entries(images).map(near));
}

/** 1 where a pixel counts, float32 of the target's shape; undefined where all do. */
export function countedPixels(
  { target, valid }: { readonly target: Tensor; readonly valid?: Tensor<"float32"> },
  { ignore }: Pick<TrainingLoss, "ignore">,
): Tensor<"float32"> | undefined {
  if (ignore.length === 0) return valid;
  const ignored = new Set(ignore);
  const labels = target.data as BigInt64Array;
  return tensor(
    "float32",
    target.shape,
    Float32Array.from(labels, (label, i) => (ignored.has(Number(label)) ? 0 : (valid?.data[i] ?? 1))),
  );
}
