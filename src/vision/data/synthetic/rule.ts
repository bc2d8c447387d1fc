import type { TaskName } from "../../tasks/names.js";
import type { Sample } from "../dataset.js";
import type { Averaging } from "./light.js";
import type { ShapeKind } from "./shapes.js";

/** Procedural samples of a task. */
export interface SyntheticRule {
  /** Names of the classes, where samples have classes. */
  readonly classNames?: readonly string[];
  /** The target value of pixels that do not count, where targets are labels of pixels. */
  readonly ignoreLabel?: number;
  /** Whether samples are exposures in which things move: `subframes` and `averaging` are for them alone. */
  readonly exposures?: true;
  /** Sample `index`, which depends on the settings and on nothing else. */
  readonly make: (settings: SyntheticSettings, index: number) => Sample;
}

/** What `SyntheticOptions` says, with defaults filled in. */
export interface SyntheticSettings {
  readonly task: TaskName;
  readonly width: number;
  readonly height: number;
  readonly length: number;
  readonly seed: number | string;
  readonly displacement: number;
  readonly subframes: number;
  readonly averaging: Averaging;
  /** Kinds of the shapes that are seen. */
  readonly kinds: readonly ShapeKind[];
}
