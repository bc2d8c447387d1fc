import type { Value, ValueType } from "../../engine/graph/graph.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { FolderRule } from "../data/folder-rule.js";
import type { SyntheticRule } from "../data/synthetic/rule.js";
import type { Measure, MetricFormat } from "../metrics/measure.js";
import type { Drawing, Scene } from "../render/drawing.js";
import type { ModelSpec } from "../spec/model-spec.js";
import type { TaskName } from "./names.js";

/**
 * A kind of prediction: all that is true of it stands here, and no other code asks for a task by its name. Predictions are in canonical form (what
 * `output.read` turns a model's raw output into), per pixel values are [B, H, W], or [B] where the extent is a whole image, which has one "pixel".
 * The prediction is one value of the graph and the target one tensor; what a loss compares is between the two, so that a task with several
 * outputs may join them in `output.read`, and one with lists of objects may pad them to one tensor and say with `counted` which rows are there.
 */
export interface Task {
  readonly name: TaskName;
  /** What is predicted, for a reader: "one class for each pixel". */
  readonly predicts: string;
  /** Images of a sample, by role, in the order in which models usually take them. */
  readonly roles: readonly [string, ...string[]];
  /**
   * What a prediction is made of: class logits on axis 1 (then targets are whole numbers), numbers in a unit of the task's own, or a picture
   * with intensities in [0, 1] like the ones that the model takes.
   */
  readonly kind: "classes" | "values" | "picture";
  /** Whether there is one prediction for each pixel, or one for the whole image. */
  readonly extent: "image" | "pixels";
  /** Channels of the canonical prediction; absent: as many as there are classes. */
  readonly channels?: number;
  /** What errors are counted in, and `scale` with them: "pixels". */
  readonly unit: string;

  // As graphs: what an attack or a training step is built of.

  /** Type of the target for a prediction of the given type. */
  readonly target: (prediction: ValueType) => ValueType;
  /** The losses that attacks raise, by name; the first is the usual one. Each is per pixel, unreduced, 0 where the target is ignored. */
  readonly losses: Readonly<Record<string, PixelFunction>>;
  /** The losses that training lowers, by name; the first is the usual one. */
  readonly trainedLosses: Readonly<Record<string, TrainedLoss>>;
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
  /** Whether truth comes with a mask of the pixels where it is known (motion, depth); labels say it themselves, by ignored ones. */
  readonly masked: boolean;
  /** The model's own prediction as a target, where there is no ground truth. */
  readonly asTarget: (prediction: Value) => Value;

  // Geometry: what becomes of truth and prediction where pictures are scaled or turned.

  /** The axis whose pixels each channel of the prediction counts in: where a map is scaled along it, so are its values. Empty where none does. */
  readonly pixelUnits: readonly ("height" | "width")[];
  /** Whether values between two neighbors' make sense as truth (intensities), or not (labels; motion across an edge): how truth is resized. */
  readonly valuesBetween: "exist" | "do not exist";
  /** Mirror images that are still samples of the task, and why others are none. */
  readonly flips: { readonly allowed: readonly Flip[]; readonly because?: string };
  /** What turning a picture does to the values of its truth besides moving them; absent: nothing. */
  readonly turned?: (target: Tensor, turn: Turn) => Tensor;

  // What a model of the task yields.

  readonly output: OutputRule;

  // On arrays, without batch axis: scores, words, pictures.

  /** Scores of samples and of all together. */
  readonly measure: (options: MeasureOptions) => Measure;
  /** How a metric's values are written, by its name or by the beginning of it. */
  readonly formats: Readonly<Record<string, MetricFormat>>;
  /** The model's own prediction as a target: `asTarget` for one sample's tensor. */
  readonly ownTarget: (prediction: Tensor) => Tensor;
  /** What an attacker may wish for. */
  readonly wish: WishRule;
  /** A sample's predictions as figures, before and after an attack, with the truth where it is known. */
  readonly draw: (scene: Scene) => Drawing;

  // Data.

  /** How a plain folder holds samples of the task. */
  readonly folder: FolderRule;
  /** Procedural samples with exact truth. */
  readonly synthetic: SyntheticRule;
}

/** What a model of a task yields, and how that is read. */
export interface OutputRule {
  /** What the numbers may be (`output.meaning` of a specification); the first is taken where nothing is said. */
  readonly meanings: readonly [string, ...string[]];
  /** The fields of a specification's `output` that say something for this task; others are refused. */
  readonly fields: readonly ("scale" | "range" | "channels" | "align")[];
  /**
   * From the raw output to the canonical prediction, at the image's size.
   *
   * @throws SpecError when the output cannot be what the specification says.
   */
  readonly read: (raw: Value, spec: ModelSpec, size: readonly [height: number, width: number]) => Value;
}

export interface MeasureOptions {
  /** Channels of the prediction. */
  readonly classes: number;
  /** Labels without ground truth. */
  readonly ignore: readonly number[];
  /** What the specification says of the output, where there is one. */
  readonly output?: Pick<ModelSpec["output"], "meaning" | "align">;
}

/** What `--target` may be. */
export interface WishRule {
  /** In words, for help and errors: "a class number, counted from 0". */
  readonly takes: string;
  /**
   * Reads what was typed: the target of one sample, made from its clean prediction.
   *
   * @param picture reads an image file.
   * @throws WishError when it does not suit the task.
   */
  readonly read: (word: string, picture: (path: string) => Promise<Tensor<"float32">>) => Promise<WishMaker>;
  /** The wish in a sentence: "towards ...". */
  readonly say: (word: string, className: (label: number) => string | undefined) => string;
}

/** What a targeted attack drives towards: makes one sample's target from its size and clean prediction. */
export type WishMaker = (prediction: Tensor) => Tensor;

/** A target that does not suit the task: one sentence. */
export class WishError extends Error {
  override readonly name = "WishError";
}

/**
 * A mirror image: "horizontal" swaps left and right, "vertical" top and bottom, "diagonal" rows and columns. All three give the eight positions of
 * a square, quarter turns among them, as BasicSR's flips and rotations do.
 */
export type Flip = "horizontal" | "vertical" | "diagonal";

/** How a picture was turned: first mirrored, then transposed. */
export interface Turn {
  readonly mirrored: boolean;
  readonly upsideDown: boolean;
  readonly transposed: boolean;
}

/** A loss that training lowers: values per pixel, and what becomes of them. */
export interface TrainedLoss {
  readonly perPixel: PixelFunction;
  /** One number from the values and from what counts of them, both [B, ...]. */
  readonly reduce: (perPixel: Value, counted: Value) => Value;
}

/**
 * A cosine per pixel and its complement 1 - cos, which targeted attacks weigh by. The complement is a formula of its own: in float32, 1 - cos
 * keeps no digits where prediction and target nearly agree. Both are 0 where the target is ignored.
 */
export interface Alignment {
  readonly cosine: PixelFunction;
  readonly complement: PixelFunction;
  /** Channels that the prediction must have for pixels to weigh differently at all; absent where any number will do. */
  readonly leastChannels?: number;
  /** What a pixel's value is read from, where it is more than the pixel: the whole prediction, which must then be in one graph. */
  readonly sees?: "whole prediction";
}

/** Takes prediction and target (and, per pixel, whether the target counts: float32 1 or 0) to a value per pixel. */
export interface PixelFunction {
  (prediction: Value, target: Value, options: PixelOptions): Value;
  /** Classes that the prediction must have at least; absent where any number will do. */
  readonly leastClasses?: number;
  /** What a pixel's value is read from, where it is more than the pixel: the whole prediction, which must then be in one graph. */
  readonly sees?: "whole prediction";
}

export interface PixelOptions {
  /** Labels that mark pixels without ground truth. They add nothing to losses and get weight 0. */
  readonly ignore: readonly number[];
  /** float32, 1 where the target is known, per pixel; where truth may be sparse. */
  readonly valid?: Value | undefined;
  /** Error, in the task's unit, at which the residual alignment has fallen to cos 45°. */
  readonly scale: number;
}
