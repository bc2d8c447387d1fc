import type { Value, ValueType } from "../../engine/graph/graph.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { FolderRule } from "../data/folder-rule.js";
import type { SyntheticRule } from "../data/synthetic/rule.js";
import type { Measure, MetricFormat, SampleScores } from "../metrics/measure.js";
import type { Drawing, Scene } from "../render/drawing.js";
import type { ModelSpec } from "../spec/model-spec.js";
import type { TaskName } from "./names.js";

/**
 * A kind of prediction: all that is true of it stands here, and no other code asks for a task by its name. Predictions are in canonical form (what
 * `output.read` turns a model's raw outputs into), per pixel values are [B, H, W], or [B] where the extent is a whole image, which has one "pixel",
 * or [B, N] where it is objects, each anchor or query being one.
 * The prediction is one value of the graph and the target one tensor; what a loss compares is between the two, so that a task with several
 * outputs joins them in `output.read`, and one whose truth is a list of objects lays it on the places where the model looks (`assigned`).
 */
export interface Task {
  readonly name: TaskName;
  /** What is predicted, for a reader: "one class for each pixel". */
  readonly predicts: string;
  /** Images of a sample, by role, in the order in which models usually take them. */
  readonly roles: readonly [string, ...string[]];
  /**
   * What a prediction is made of: class logits on axis 1 (then targets are whole numbers), numbers in a unit of the task's own, a picture
   * with intensities in [0, 1] like the ones that the model takes, or boxes with class logits [B, 4 + K, N] (then truth is a list, [M, 6]).
   */
  readonly kind: "classes" | "values" | "picture" | "boxes";
  /** Whether there is one prediction for each pixel, one for the whole image, or one for each of N places where the model looks for an object. */
  readonly extent: "image" | "pixels" | "objects";
  /** Channels of the canonical prediction; absent: as many as there are classes. */
  readonly channels?: number;
  /** What errors are counted in, and `scale` with them: "pixels". */
  readonly unit: string;

  // As graphs: what an attack or a training step is built of.

  /** Type of the target for a prediction of the given type. */
  readonly target: (prediction: ValueType) => ValueType;
  /** The losses that attacks raise, by name; the first is the usual one. Each is per pixel, unreduced, 0 where the target is ignored. */
  readonly losses: Readonly<Record<string, PixelFunction>>;
  /** How far a prediction lies from another, per pixel, where predictions are distributions: KL(from ‖ prediction). Absent where they are none. */
  readonly divergence?: (prediction: Value, from: Value) => Value;
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

  // Geometry: what becomes of truth and prediction where pictures are scaled or turned.

  /** The axis whose pixels each channel of the prediction counts in: where a map is scaled along it, so are its values. Empty where none does. */
  readonly pixelUnits: readonly ("height" | "width")[];
  /** Whether values between two neighbors' make sense as truth (intensities), or not (labels; motion across an edge): how truth is resized. */
  readonly valuesBetween: "exist" | "do not exist";
  /** Mirror images that are still samples of the task, and why others are none. */
  readonly flips: { readonly allowed: readonly Flip[]; readonly because?: string };
  /** What turning a picture does to the values of its truth besides moving them; absent: nothing. */
  readonly turned?: (target: Tensor, turn: Turn) => Tensor;
  /** What becomes of truth and predictions that are lists of places where a picture is scaled or cropped; absent: they are maps, or of the whole image. */
  readonly placed?: PlacementRule;
  /** What surrounds a picture that is smaller than the model needs: its mirror image, or one intensity (where mirror images would be objects). */
  readonly surround: "mirrored" | number;

  // What a model of the task yields.

  readonly output: OutputRule;

  // On arrays, without batch axis: scores, words, pictures.

  /** Scores of samples and of all together. */
  readonly measure: (options: MeasureOptions) => Measure;
  /**
   * How good predictions are, from 0 to 1, where neither a share of right pixels nor a mean error says it, and from where on they say something; for the
   * doctor, which compares ways to feed a model.
   */
  readonly quality?: { readonly name: string; readonly least: number; readonly of: (scores: readonly SampleScores[]) => number };
  /** How a metric's values are written, by its name or by the beginning of it. */
  readonly formats: Readonly<Record<string, MetricFormat>>;
  /** The model's own prediction as a target: one sample's tensor. */
  readonly ownTarget: (prediction: Tensor, output: OutputSpec) => Tensor;
  /** From the metrics of the clean predictions against themselves: why there is nothing that an attack could change; undefined where there is. */
  readonly nothingSeen?: (clean: Readonly<Record<string, number | null>>) => string | undefined;
  /** Where truths and wishes are lists of objects: what of one of them belongs to each place of the model, by its clean prediction; losses take that. */
  readonly assigned?: (list: Tensor, clean: Tensor) => Tensor;
  /** What losses take, for who makes it himself; absent: truth as data sets have it. */
  readonly targetMeaning?: string;
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
  readonly fields: readonly ("scale" | "range" | "channels" | "align" | "head" | "boxes" | "nms")[];
  /** Which outputs are read where the specification names none: the first, or all (a head of several). */
  readonly takes: "first" | "all";
  /** How detectors lay their outputs out, by name (`output.head`). */
  readonly heads?: readonly string[];
  /** The head that a file's outputs look like, by their names, declared axes and last operators; undefined where they do not say it, as where axes are open. */
  readonly recognize?: (outputs: readonly DeclaredOutput[]) => string | undefined;
  /** The same of a model that is read for a size of pictures; `compute` gives an output's numbers for one, where nothing else settles it. */
  readonly recognizeRead?: (
    outputs: readonly Value[],
    spec: ModelSpec,
    compute: (v: Value) => Promise<Tensor>,
  ) => Promise<string | undefined>;
  /** Another head whose outputs may look the same, of a head by name: whoever is told that one is assumed is told of it too. */
  readonly headAlike?: (head: string) => string | undefined;
  /** Holds the head that is said against a file's outputs and operators. @throws SpecError where the outputs cannot be such a head. */
  readonly checkHead?: (head: string, outputs: readonly DeclaredOutput[], operators: ReadonlySet<string>) => void;
  /** Why the shapes of outputs are not known before a model of these operators runs, and what to do; undefined where the task knows no reason. */
  readonly unshaped?: (operators: ReadonlySet<string>) => string | undefined;
  /** What the raw outputs for some images tell of how they are laid out, for the doctor. */
  readonly look?: (
    outputs: readonly { readonly name: string; readonly values: readonly Tensor[] }[],
    spec: ModelSpec,
  ) => readonly Look[];
  /**
   * From the raw outputs to the canonical prediction, at the image's size. Where a task takes the first there is one.
   *
   * @throws SpecError when the outputs cannot be what the specification says.
   */
  readonly read: (
    outputs: readonly [Value, ...Value[]],
    spec: ModelSpec,
    size: readonly [height: number, width: number],
  ) => Value;
}

/** An output as a file declares it: free axes have names. `op` is the operator that yields it. */
export interface DeclaredOutput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly op: string | undefined;
}

/** Something that raw outputs tell: whether it is as the specification has it, in a sentence, with the flags that put it right. */
export interface Look {
  readonly subject: string;
  readonly verdict: "good" | "wrong";
  readonly sentence: string;
  readonly flags?: readonly string[];
}

/** What a specification says of the output, as far as scores and targets depend on it. */
export type OutputSpec = Pick<ModelSpec["output"], "meaning" | "align" | "head" | "nms">;

export interface MeasureOptions {
  /** Channels of the prediction. */
  readonly classes: number;
  /** Labels without ground truth. */
  readonly ignore: readonly number[];
  /** What the specification says of the output, where there is one. */
  readonly output?: OutputSpec;
}

/** Where a picture's points go: x' = x · scale.x + shift.x, likewise y; the new picture has this size. */
export interface Placement {
  readonly scale: { readonly x: number; readonly y: number };
  readonly shift: { readonly x: number; readonly y: number };
  readonly size: { readonly height: number; readonly width: number };
}

/** Lists of places follow a picture. */
export interface PlacementRule {
  readonly truth: (target: Tensor, placement: Placement) => Tensor;
  readonly prediction: (prediction: Value, placement: Placement) => Value;
}

/** What `--target` may be. */
export interface WishRule {
  /** In words, for help and errors: "a class number, counted from 0". */
  readonly takes: string;
  /**
   * Reads what was typed: the target of one sample, made from its clean prediction.
   *
   * @param picture reads an image file. @param names of the classes, where they are known.
   * @throws WishError when it does not suit the task.
   */
  readonly read: (
    word: string,
    picture: (path: string) => Promise<Tensor<"float32">>,
    names?: readonly string[],
  ) => Promise<WishMaker>;
  /** The wish in a sentence: "towards ...". */
  readonly say: (word: string, className: (label: number) => string | undefined) => string;
  /** The metric, of those of the predictions against the target, that tells whether the wish came true; absent: the headline. */
  readonly judgedBy?: (word: string) => Judging | undefined;
}

/** A metric, and where an attacker wants it. */
export interface Judging {
  readonly name: string;
  readonly wanted: "higher" | "lower";
}

/** What a targeted attack drives towards: makes one sample's target from its size and clean prediction. */
export type WishMaker = (prediction: Tensor, output: OutputSpec) => Tensor;

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
  /** The only goal that it is for; absent: raised away from a target and lowered towards one. */
  readonly goal?: "untargeted" | "targeted";
}

export interface PixelOptions {
  /** Labels that mark pixels without ground truth. They add nothing to losses and get weight 0. */
  readonly ignore: readonly number[];
  /** float32, 1 where the target is known, per pixel; where truth may be sparse. */
  readonly valid?: Value | undefined;
  /** Error, in the task's unit, at which the residual alignment has fallen to cos 45°. */
  readonly scale: number;
}
