import type { Tensor } from "../../engine/tensor/tensor.js";
import { type TaskName, tasks } from "../tasks/index.js";
import { type Conversion, conversionsOf } from "./conversions.js";
import { DataError } from "./error.js";

/**
 * One item of a dataset.
 *
 * | task | inputs | target | valid |
 * |---|---|---|---|
 * | classification | `image` | int64 `[]`, the class index | |
 * | segmentation | `image` | int32 `[H, W]`, class indices or `ignoreLabel` | |
 * | flow | `image1`, `image2` | float32 `[2, H, W]`, pixels: u to the right, v down | bool `[H, W]` |
 * | disparity | `left`, `right` | float32 `[1, H, W]`, pixels, never negative | bool `[H, W]` |
 * | detection | `image` | float32 `[M, 6]`, for each object x1, y1, x2, y2 in pixels, class, and 1 (2: a crowd, which counts neither way); a seventh column says how many square pixels it covers | |
 * | restoration | `image` (degraded) | float32 `[3, H, W]` in [0, 1] | |
 *
 * The flow at pixel (x, y) of `image1` leads to (x + u, y + v) in `image2`. The disparity d at pixel (x, y) of `left` leads to
 * (x - d, y) in `right`: positive, larger for what is nearer.
 */
export interface Sample {
  /** Unique in its dataset and the same on every machine; "/" separates folders. */
  readonly id: string;
  /** Images, float32 `[3, H, W]`, RGB, in [0, 1]. */
  readonly inputs: Readonly<Record<string, Tensor<"float32">>>;
  /** Absent where the dataset has no labels. */
  readonly target?: Tensor;
  /** 1 where the target is known and counts; absent: everywhere. Elsewhere the target is finite but means nothing. */
  readonly valid?: Tensor<"bool">;
  /** What was done to the images as they were read, where their files hold more than 8-bit gray or RGB. */
  readonly converted?: readonly Conversion[];
  /** 1 where the pixel is known to be hidden in the other view; such pixels still count where `valid` is 1. */
  readonly occluded?: Tensor<"bool">;
}

interface Common {
  readonly name: string;
  readonly length: number;
  /** One sentence: what it is, how many samples, from where. */
  describe(): string;
  /**
   * Reads or makes one sample.
   *
   * @throws DataError when this sample cannot be read (the others still can), or there is no such index.
   */
  sample(index: number): Promise<Sample>;
}

/** What a dataset's targets are. */
export interface Labelling {
  readonly task: TaskName;
  /** Where targets are classes; empty where the layout does not name them. */
  readonly classNames?: readonly string[];
  /** The target value of pixels that do not count, where targets are labels of pixels. */
  readonly ignoreLabel?: number;
}

/** An ordered, finite collection of samples; sample i is the same every time. */
export type Dataset = Common & Labelling;

/**
 * A dataset over a list of entries.
 *
 * @example datasetOf({ name: "pairs", task: "flow" }, entries, () => "3 pairs", async (entry) => ({ id: entry.name, inputs, target }))
 */
export function datasetOf<Entry>(
  labelling: Labelling & { readonly name: string },
  entries: readonly Entry[],
  describe: string,
  read: (entry: Entry, index: number) => Promise<Sample>,
): Dataset {
  return {
    ...labelling,
    length: entries.length,
    describe: () => describe,
    async sample(index) {
      if (!Number.isInteger(index) || index < 0 || index >= entries.length) {
        throw new DataError(`${labelling.name} has samples 0 to ${entries.length - 1}; there is no sample ${index}.`);
      }
      const sample = checkSizes(await read(entries[index]!, index), labelling.task);
      const converted = [...new Set(Object.values(sample.inputs).flatMap(conversionsOf))];
      return converted.length > 0 ? { ...sample, converted } : sample;
    },
  };
}

/** Inputs, pixel-wise target and masks of one sample have one height and width, or the files do not belong together. */
function checkSizes(sample: Sample, task: TaskName): Sample {
  const { inputs, target, valid, occluded } = sample;
  const map = tasks[task].extent === "pixels" ? target : undefined;
  const parts: Record<string, Tensor | undefined> = { ...inputs, target: map, valid, occluded };
  const sizes = Object.entries(parts).flatMap(([name, t]) =>
    t && t.shape.length >= 2 ? [{ name, size: t.shape.slice(-2).join("x") }] : [],
  );
  const other = sizes.find(({ size }) => size !== sizes[0]!.size);
  if (other) {
    const first = sizes[0]!;
    throw new DataError(
      `Sample ${sample.id}: ${first.name} is ${first.size} (height x width), but ${other.name} is ${other.size}.`,
    );
  }
  return sample;
}
