import type { TaskName } from "../../tasks/names.js";
import type { Dataset } from "../dataset.js";
import { DataError } from "../error.js";

export interface LayoutOptions {
  readonly task: TaskName;
  /** Which part: "train", "val", "test", "training" ... as the layout's folders and lists name them. Each layout has its own default. */
  readonly split?: string;
  /** Which rendition where a layout has several: Sintel and FlyingThings3D "clean" | "final", GoPro "blur" | "blur_gamma"; in archives, which part is the truth. */
  readonly variant?: string;
}

/** One way in which a dataset lies on disk. */
export interface Layout {
  readonly name: string;
  readonly tasks: readonly TaskName[];
  /** Extensions of files that hold such a data set, so that one of them may be named in place of a folder: ".tar". */
  readonly files?: readonly string[];
  /** What `matches` looks for, for the message that nothing was recognized. */
  readonly looksFor: string | ((task: TaskName) => string);
  matches(folder: string, options: LayoutOptions): Promise<boolean>;
  /**
   * Lists the samples; pictures are read by `sample()` only.
   *
   * @throws DataError when the folder lacks what the options ask for.
   */
  open(folder: string, options: LayoutOptions): Promise<Dataset>;
}

export const soughtBy = ({ looksFor }: Layout, task: TaskName): string =>
  typeof looksFor === "string" ? looksFor : looksFor(task);

/**
 * What a layout that serves several tasks reads for one of them.
 *
 * @throws DataError where it is none of them.
 */
export function readingOf<R>(name: string, readings: Readonly<Partial<Record<TaskName, R>>>, task: TaskName): R {
  const reading = readings[task];
  if (!reading) throw new DataError(`${name} is read for ${Object.keys(readings).join(" and ")}, not for ${task}.`);
  return reading;
}
