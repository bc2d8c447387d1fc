import type { Value, ValueType } from "../../engine/graph/graph.js";

export type TaskName = "classification" | "segmentation" | "flow" | "disparity" | "restoration";

/**
 * A kind of prediction, as graphs: what an attack or a training step needs to know of it. Predictions are in canonical form (what
 * `ModelSpec` turns a model's raw output into), per pixel values are [B, H, W], or [B] in classification, which has one "pixel".
 *
 * | task | prediction | target | unit |
 * |---|---|---|---|
 * | classification | logits [B, K] | int64 [B] | class |
 * | segmentation | logits [B, K, H, W] | int64 [B, H, W] | class |
 * | flow | [B, 2, H, W] | float32 [B, 2, H, W] | pixels, (right, down) |
 * | disparity | [B, 1, H, W] | float32 [B, 1, H, W] | pixels |
 * | restoration | [B, C, H, W] | float32 [B, C, H, W] | intensity in [0, 1] |
 */
export interface Task {
  readonly name: TaskName;
  /** Type of the target for a prediction of the given type. */
  readonly target: (prediction: ValueType) => ValueType;
  /** The losses that the task offers, by name; the first is the usual one. Each is per pixel, unreduced, 0 where the target is ignored. */
  readonly losses: Readonly<Record<string, PixelFunction>>;
  /**
   * CosPGD's alignment of prediction and target per pixel, by name; the first is the published one. 1 is full agreement (Agnihotri et al.
   * 2024, eq. 4: cos(Ψ(prediction), Ψ'(target)) over the channel axis).
   */
  readonly alignments: Readonly<Record<string, Alignment>>;
  /** SegPGD's mask: 1.0 where the prediction is right, 0.0 elsewhere. */
  readonly correct: PixelFunction;
  /** Error, in the task's unit, at which a pixel counts as wrong unless something else is said: where SegPGD's mask and the residual alignment turn. */
  readonly scale: number;
  /** What tells which of two attacked images is worse for the model: the share of correct pixels (then the loss), or the loss alone. */
  readonly judgedBy: "correct" | "loss";
  /** Labels that mean "no ground truth" unless a specification says otherwise. Classes of whole images have none: ImageNet has a class 255. */
  readonly ignore: readonly number[];
  /** 1.0 where the target counts, 0.0 where it is ignored or unknown. */
  readonly counted: PixelFunction;
  /** The axis whose pixels each channel of the prediction counts in: where a map is scaled along it, so are its values. Empty where none does. */
  readonly pixelUnits: readonly ("height" | "width")[];
  /** Whether values between two neighbors' make sense as truth (intensities), or not (labels; motion across an edge): how truth is resized. */
  readonly valuesBetween: "exist" | "do not exist";
  /** The model's own prediction as a target, where there is no ground truth. */
  readonly asTarget: (prediction: Value) => Value;
}

/**
 * A cosine per pixel and its complement 1 - cos, which targeted attacks weigh by. The complement is a formula of its own: in float32, 1 - cos
 * keeps no digits where prediction and target nearly agree. Both are 0 where the target is ignored.
 */
export interface Alignment {
  readonly cosine: PixelFunction;
  readonly complement: PixelFunction;
}

/** Takes prediction and target (and, per pixel, whether the target counts: float32 1 or 0) to a value per pixel. */
export interface PixelFunction {
  (prediction: Value, target: Value, options: PixelOptions): Value;
  /** Classes that the prediction must have at least; absent where any number will do. */
  readonly leastClasses?: number;
}

export interface PixelOptions {
  /** Labels that mark pixels without ground truth. They add nothing to losses and get weight 0. */
  readonly ignore: readonly number[];
  /** float32, 1 where the target is known, per pixel; for flow and disparity with sparse ground truth. */
  readonly valid?: Value | undefined;
  /** Error, in the task's unit, at which the residual alignment has fallen to cos 45°. */
  readonly scale: number;
}
