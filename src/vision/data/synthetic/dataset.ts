/**
 * Synthetic datasets: seeded, procedural pictures with exact truth, of any size, without a file. Sample i depends on the seed, the task
 * and i alone, so that workers may take any of them in any order.
 */
import { tasks } from "../../tasks/index.js";
import type { TaskName } from "../../tasks/names.js";
import { type Dataset, datasetOf } from "../dataset.js";
import { DataError } from "../error.js";
import type { Averaging } from "./light.js";
import type { SyntheticSettings } from "./rule.js";
import { shapeKinds } from "./shapes.js";

export interface SyntheticOptions {
  readonly task: TaskName;
  /** Pixels: the side of a square, or height and width; at least 16. */
  readonly size: number | { readonly height: number; readonly width: number };
  /** Number of samples. */
  readonly length: number;
  readonly seed: number | string;
  /** The largest shift (in an exposure, from frame to frame, from left to right) as a share of the shorter side. Default 0.08. */
  readonly displacement?: number;
  /**
   * Deblurring: how many sharp frames make a blurred one, an odd number so that one is in the middle. Default 9, and more where the
   * displacement is above 13 pixels: one for every pixel and a half, so that no ghosts of the frames are seen.
   */
  readonly subframes?: number;
  /**
   * Deblurring: what is averaged. "light": linear light, as a sensor does and as GoPro's `blur_gamma` was made (default); "stored": the
   * stored values, as GoPro's `blur` was made.
   */
  readonly averaging?: Averaging;
  /** How many classes are seen at most, the first of the task's; default: all of them. */
  readonly classes?: number;
}

/**
 * A synthetic dataset for any task: what its samples are, its definition says (`tasks[task].synthetic`).
 *
 * @example const { inputs, target } = await syntheticDataset({ task: "flow", size: 128, length: 100, seed: 1 }).sample(0)
 * @throws DataError when an option is out of range.
 */
export function syntheticDataset(options: SyntheticOptions): Dataset {
  const settings = resolve(options);
  const { task, width, height, length, seed } = settings;
  const { make, ignoreLabel } = tasks[task].synthetic;
  const classNames = tasks[task].synthetic.classNames?.slice(0, options.classes);
  const indices = Array.from({ length }, (_, i) => i);
  const description = `${length} synthetic samples for ${task}, ${width}x${height} pixels, seed ${seed}.`;
  const labelling = {
    name: "synthetic",
    task,
    ...(classNames && { classNames }),
    ...(ignoreLabel !== undefined && { ignoreLabel }),
  };
  return datasetOf(labelling, indices, description, async (index) => make(settings, index));
}

function resolve(options: SyntheticOptions): SyntheticSettings {
  const { task, size, length, seed, displacement = 0.08, averaging = "light", classes } = options;
  const { classNames } = tasks[task].synthetic;
  const { width, height } = typeof size === "number" ? { width: size, height: size } : size;
  const { subframes = framesFor(displacement * Math.min(width, height)) } = options;
  const demand = (holds: boolean, rule: string) => {
    if (!holds) throw new DataError(`Synthetic pictures: ${rule}.`);
  };
  demand(
    [width, height].every((n) => Number.isInteger(n) && n >= 16),
    `the size must be at least 16x16 whole pixels, not ${width}x${height}`,
  );
  demand(Number.isInteger(length) && length >= 1, `the length must be a whole number of at least 1, not ${length}`);
  demand(
    displacement >= 0 && displacement <= 0.5,
    `displacement must be a share from 0 to 0.5 of the shorter side, not ${displacement}`,
  );
  demand(
    subframes % 2 === 1 && subframes >= 1,
    `subframes must be an odd whole number, so that one frame is in the middle, not ${subframes}`,
  );
  const seen = classNames?.slice(0, classes);
  const kinds = seen ? shapeKinds.filter((kind) => seen.includes(kind)) : shapeKinds;
  demand(classes === undefined || seen !== undefined, `${task} has no classes, so that classes=${classes} says nothing`);
  demand(
    kinds.length > 0,
    `${classes} classes leave no shape for ${task}; its scenes show at least ${classNames?.[0] === shapeKinds[0] ? 1 : 2}`,
  );
  return { task, width, height, length, seed, displacement, subframes, averaging, kinds };
}

/** An odd number, at least 9. */
const framesFor = (pixels: number): number => 2 * Math.floor(Math.max(9, pixels / 1.5) / 2) + 1;
