import type { Value } from "../../../engine/graph/graph.js";
import type { Random } from "../../../engine/tensor/random.js";
import type { PixelFunction, PixelOptions, Task } from "../../../vision/tasks/index.js";
import type { Goal } from "../attacked-model.js";
import type { NormName } from "../lengths.js";
import type { Transform } from "../transforms/transform.js";
import type { StepSchedule } from "./step-schedule.js";

/**
 * A projected ascent as a record of parts. PGD, SegPGD and CosPGD differ in the pixel weight alone, FGSM and BIM in start and steps, MI-FGSM and APGD
 * in the descent rule; every combination is one step graph (`compileAscent`). `projectedAscent` makes an attack of it that can be chosen by name.
 */
export interface ProjectedAscent {
  readonly name: string;
  /** Paper and section. */
  readonly source: string;
  readonly norm: Norm;
  readonly goal: Goal;
  readonly start: Start;
  readonly weight: PixelWeight;
  /** One of the task's losses by name, or a function of one's own; default the task's first. */
  readonly loss?: string | PixelFunction;
  /** The loss by which iterates are compared and results are measured, where it is another than the one that is differentiated. */
  readonly tracked?: string | PixelFunction;
  readonly descent: DescentRule;
  /** How images are looked at for the gradient (DI, SI); it is averaged over all draws. Default: as they are. What is judged is the image itself. */
  readonly views?: readonly Transform[];
  readonly budget: Budget;
}

/** Everything about sizes; images are in [0, 1]. */
export interface Budget {
  /** Radius of the ball around the clean image, in the norm's own measure over one image: 8/255 is usual in l_inf. */
  readonly epsilon: number;
  /** Length of a step, in the same measure. */
  readonly stepSize: number;
  /** How the length changes over the steps; default constant. */
  readonly schedule?: StepSchedule;
  /** 0: the starts alone; nothing is compiled for steps then. */
  readonly steps: number;
  /** Searches one after the other that make up one: each starts where the last one ended, projected onto its own ball; absent: one, in the ball itself. */
  readonly stages?: readonly Stage[] | undefined;
  /** Independent starts; the one that got furthest is kept, image by image. */
  readonly restarts: number;
  /** Whether images may be any floats, or what is evaluated and kept lies on the grid of 8-bit images (k / 255), so that saving changes nothing. */
  readonly grid: "continuous" | "8-bit";
}

/** A part of a search in a larger ball: what `epsilon` is multiplied by, and its share of the steps, in whole steps; the last stage has the rest. */
export interface Stage {
  readonly radius: number;
  readonly share: number;
  readonly rounded: "up" | "down";
}

/**
 * Where the search begins: at the clean image; at the random point that the published code takes (any point of the ball in l_inf, one on the sphere in
 * l_2 and l_1); at one drawn uniformly from the ball, as Foolbox does; or at Gaussian noise of deviation 1, projected onto ball and box, which in l_1 leaves
 * few entries (AutoAttack).
 */
export type Start = "clean" | "random" | "ball" | "projected";

/** A ball around the clean image, its steepest direction and its projection; all per image over (C, H, W). */
export interface Norm {
  readonly name: Exclude<NormName, "l_0">;
  /** The step of unit size at `x` that follows this (finite) gradient. */
  readonly direction: (gradient: Value, x: Value) => Value;
  /** The point of the ball of radius `epsilon` (a scalar value) around `clean` nearest to `clean + delta`, as a difference from `clean`. */
  readonly project: (delta: Value, epsilon: Value, clean: Value) => Value;
  /** Takes raw uniform noise in [-1, 1] to a random start inside the ball. */
  readonly start: (noise: Value, epsilon: Value) => Value;
  /**
   * For starts drawn uniformly from the ball: one coordinate of raw noise whose direction, by `start`, is uniform on the sphere, and the share of the
   * radius for a uniform draw `u` and `n` coordinates. Absent where `start` is uniform in the ball already.
   */
  readonly ball?: { readonly noise: (random: Random) => number; readonly radius: (u: number, n: number) => number };
  /** Size of `delta` for each image, [B]. */
  readonly size: (delta: Value) => Value;
  /** Where the size is (a root of) a sum over the entries: what an entry of so many levels adds to the sum. */
  readonly levelCost?: (levels: Value) => Value;
  /** Auto-PGD's rules where the norm has its own. */
  readonly autoPgd?: (radii: "constant" | "shrinking") => DescentRule;
}

/** How much each pixel's loss counts. Detached: a constant for the gradient. */
export interface PixelWeight {
  readonly name: string;
  /** Whether pixels can count differently at all. */
  readonly pixels: "alike" | "differ";
  /** The alignment that it weighs by, where it does: one of the task's by name, or the published one. */
  readonly alignment?: string;
  readonly weigh: (given: WeightInputs) => Value | undefined;
  /** How the images of a batch are put together. Signs and normalized steps do not depend on it; logged losses do. */
  readonly batch: "mean" | "sum";
}

export interface WeightInputs {
  readonly task: Task;
  readonly prediction: Value;
  readonly target: Value;
  readonly options: PixelOptions;
  readonly goal: Goal;
  /** Scalar t / T: which share of the steps is done. */
  readonly progress: Value;
}

/** How the next iterate follows from the gradient. State lives in the graph's inputs and outputs; TypeScript never touches a pixel. */
export interface DescentRule {
  readonly name: string;
  readonly state: readonly StateSpec[];
  /** Scalars that change with the step, by name. */
  readonly schedule?: (step: number, steps: number) => Readonly<Record<string, number>>;
  /** Where the gradient is taken, for each perturbed image; default: at the iterate. */
  readonly lookAt?: (given: LookInputs) => readonly Value[];
  /** What is made of a (finite) gradient before it is limited to the region; linear. */
  readonly prepare?: (gradient: Value) => Value;
  /** Asks for the mean gradient at points around the iterate as well: how many, and within which multiple β of ε. */
  readonly around?: { readonly samples: number; readonly beta: number };
  readonly step: (given: StepInputs) => StepOutputs;
  /** The iterate that counts in the end: the last one, or one that the rule keeps in its state `best`, and by what it is chosen. */
  readonly result: "last" | "highest objective" | "fewest remaining";
}

export interface StateSpec {
  readonly name: string;
  /** One tensor like each image, or one number for each sample of the batch. */
  readonly per: "image" | "sample";
  /** A number everywhere; or the starting point itself ("start", per image); or ε or 2 ε ("eps", "2eps"). */
  readonly initial: number | "start" | "eps" | "2eps";
}

export interface LookInputs {
  readonly x: readonly Value[];
  readonly state: Readonly<Record<string, readonly Value[]>>;
  /** Scalar. */
  readonly stepSize: Value;
}

export interface StepInputs {
  /**
   * Per perturbed image: the iterate, the clean image, the gradient of what is maximized (finite; sign already flipped for targeted goals), and, where the rule
   * asks for it, the mean gradient at the points around.
   */
  readonly images: readonly { readonly x: Value; readonly clean: Value; readonly gradient: Value; readonly around?: Value }[];
  /** What is maximized, or (`tracked`) what iterates are compared by, for each sample [B]. */
  readonly objective: Value;
  /** For each sample [B], the share of pixels that are not won yet: still correct, or (towards a target) not showing it. */
  readonly remaining: Value;
  /** State by name; per-image state has one value for each image, per-sample state has one. */
  readonly state: Readonly<Record<string, readonly Value[]>>;
  readonly scalars: Readonly<Record<string, Value>>;
  readonly norm: Norm;
  /** Scalar. */
  readonly stepSize: Value;
  readonly epsilon: Value;
  /** Brings a point into the ball, the region and [0, 1]. */
  readonly project: (image: number, x: Value) => Value;
}

export interface StepOutputs {
  readonly images: readonly Value[];
  readonly state: Readonly<Record<string, readonly Value[]>>;
}
