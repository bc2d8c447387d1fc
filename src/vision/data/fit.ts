/** Datasets brought to one picture size, for models and batches that need it. */
import { type DataType, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { type Placement, type TaskName, tasks } from "../tasks/index.js";
import type { Dataset, Sample } from "./dataset.js";
import { DataError } from "./error.js";

export type Fit =
  /** The middle of the picture; smaller pictures are errors. */
  | { readonly kind: "crop"; readonly height: number; readonly width: number }
  /** To this size, whatever the shape. */
  | { readonly kind: "resize"; readonly height: number; readonly width: number }
  /** The shorter side to this length, the shape kept. */
  | { readonly kind: "resize-shorter"; readonly side: number };

/**
 * The dataset with pictures cropped or resized, and pixel-wise targets with them: pictures bilinearly with antialiasing (as PIL and torchvision do,
 * without their rounding to 8 bits), labels, motion and disparity by the nearest pixel, the latter two in pixels of the new size.
 *
 * @example // ImageNet's usual 224x224
 *   fitted(fitted(dataset, { kind: "resize-shorter", side: 256 }), { kind: "crop", height: 224, width: 224 })
 * @throws DataError when the size is not of whole numbers of at least 1.
 */
export function fitted(dataset: Dataset, fit: Fit): Dataset {
  const sides = fit.kind === "resize-shorter" ? [fit.side] : [fit.height, fit.width];
  if (!sides.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new DataError(`A picture's size is in whole pixels of at least 1, not ${sides.join("x")}.`);
  }
  return {
    ...dataset,
    describe: () => `${dataset.describe().replace(/\.$/, "")}; ${fit.kind} ${sides.join("x")}.`,
    sample: async (index) => fitSample(await dataset.sample(index), fit, dataset.task),
  };
}

/**
 * Resizes float32 `[..., H, W]` by the triangle filter, widened by the scale when shrinking (antialiasing); pixel centers lie at halves.
 * The same as `torch.nn.functional.interpolate(mode="bilinear", antialias=True)`.
 */
export function resizeImage(image: Tensor<"float32">, height: number, width: number): Tensor<"float32"> {
  const [oldHeight, oldWidth] = image.shape.slice(-2) as [number, number];
  const planes = image.data.length / (oldHeight * oldWidth);
  const narrow = resizeAxis(image.data, planes * oldHeight, oldWidth, 1, width);
  const data = resizeAxis(narrow, planes, oldHeight, width, height);
  return tensor("float32", [...image.shape.slice(0, -2), height, width], data);
}

function fitSample(sample: Sample, fit: Fit, task: TaskName): Sample {
  const [, oldHeight, oldWidth] = Object.values(sample.inputs)[0]!.shape as [number, number, number];
  if (fit.kind === "crop") {
    const cut = <T extends DataType>(t: Tensor<T>) => crop(t, fit.height, fit.width, sample.id);
    const shift = { x: -middle(oldWidth, fit.width), y: -middle(oldHeight, fit.height) };
    return mapped(sample, cut, cut, truthOf(task, { scale: { x: 1, y: 1 }, shift, size: fit }) ?? cut);
  }
  const [height, width] = sizeAfter(fit, oldHeight, oldWidth);
  return resizeSample(sample, { height, width }, task);
}

/** A sample resized with its target, as `fitted` does it. */
export function resizeSample(
  sample: Sample,
  { height, width }: { readonly height: number; readonly width: number },
  task: TaskName,
): Sample {
  const { pixelUnits, valuesBetween } = tasks[task];
  const smooth = <T extends DataType>(t: Tensor<T>) =>
    resizeImage(t as unknown as Tensor<"float32">, height, width) as unknown as Tensor<T>;
  const stepped = <T extends DataType>(t: Tensor<T>): Tensor<T> => {
    const [oldHeight, oldWidth] = t.shape.slice(-2) as [number, number];
    return pick(
      t,
      height,
      width,
      (y) => nearest(y, height, oldHeight),
      (x) => nearest(x, width, oldWidth),
    );
  };
  const [, fullHeight, fullWidth] = Object.values(sample.inputs)[0]!.shape as [number, number, number];
  const scale = { x: width / fullWidth, y: height / fullHeight };
  const listed = truthOf(task, { scale, shift: { x: 0, y: 0 }, size: { height, width } });
  const truth = <T extends DataType>(t: Tensor<T>): Tensor<T> => {
    if (valuesBetween === "exist") return smooth(t);
    const [oldHeight, oldWidth] = t.shape.slice(-2) as [number, number];
    const scale = { height: height / oldHeight, width: width / oldWidth };
    const resized = stepped(t);
    pixelUnits.forEach((axis, c) => {
      const plane = (resized.data as Float32Array).subarray(c * height * width, (c + 1) * height * width);
      for (let i = 0; i < plane.length; i++) plane[i]! *= scale[axis];
    });
    return resized;
  };
  return mapped(sample, stepped, smooth, listed ?? truth);
}

/** What becomes of truth that is a list of places; undefined where it is a map, or of the whole image. */
function truthOf(task: TaskName, placement: Placement): (<T extends DataType>(t: Tensor<T>) => Tensor<T>) | undefined {
  const { placed } = tasks[task];
  return placed && (<T extends DataType>(t: Tensor<T>) => placed.truth(t, placement) as unknown as Tensor<T>);
}

/** The sample with its pictures, target and masks changed; what has no height and width stays. */
function mapped(sample: Sample, mask: <T extends DataType>(t: Tensor<T>) => Tensor<T>, picture = mask, truth = mask): Sample {
  const { inputs, target, valid, occluded } = sample;
  return {
    ...sample,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, image]) => [name, picture(image)])),
    ...(target && target.shape.length >= 2 && { target: truth(target as Tensor<"float32">) }),
    ...(valid && { valid: mask(valid) }),
    ...(occluded && { occluded: mask(occluded) }),
  };
}

function sizeAfter(fit: Exclude<Fit, { kind: "crop" }>, height: number, width: number): [height: number, width: number] {
  if (fit.kind === "resize") return [fit.height, fit.width];
  // As torchvision's Resize: the longer side is cut to a whole number.
  const longer = (side: number, other: number) => Math.floor((fit.side * side) / other);
  return height <= width ? [fit.side, longer(width, height)] : [longer(height, width), fit.side];
}

function crop<T extends DataType>(t: Tensor<T>, height: number, width: number, id: string): Tensor<T> {
  const [oldHeight, oldWidth] = t.shape.slice(-2) as [number, number];
  if (oldHeight < height || oldWidth < width) {
    throw new DataError(
      `Sample ${id} is ${oldHeight}x${oldWidth} (height x width), too small to crop ${height}x${width} from it.`,
    );
  }
  const [top, left] = [middle(oldHeight, height), middle(oldWidth, width)];
  return pick(
    t,
    height,
    width,
    (y) => y + top,
    (x) => x + left,
  );
}

/** Where the middle part of a side begins. */
const middle = (side: number, part: number): number => roundHalfToEven((side - part) / 2);

/** As Python's `round`, by which torchvision's CenterCrop places its window. */
function roundHalfToEven(x: number): number {
  return x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

function nearest(at: number, size: number, oldSize: number): number {
  return Math.min(oldSize - 1, Math.floor(((at + 0.5) * oldSize) / size));
}

function pick<T extends DataType>(
  t: Tensor<T>,
  height: number,
  width: number,
  rowOf: (y: number) => number,
  columnOf: (x: number) => number,
): Tensor<T> {
  const [oldHeight, oldWidth] = t.shape.slice(-2) as [number, number];
  const leading = t.shape.slice(0, -2);
  const planes = leading.reduce((product, d) => product * d, 1);
  const result = tensor(t.type, [...leading, height, width]);
  for (let plane = 0, to = 0; plane < planes; plane++) {
    for (let y = 0; y < height; y++) {
      const row = (plane * oldHeight + rowOf(y)) * oldWidth;
      for (let x = 0; x < width; x++) result.data[to++] = t.data[row + columnOf(x)]!;
    }
  }
  return result;
}

/** Data `[outer, length, inner]` become `[outer, size, inner]`. */
function resizeAxis(data: Float32Array, outer: number, length: number, inner: number, size: number): Float32Array {
  const scale = length / size;
  const support = Math.max(1, scale);
  const result = new Float32Array(outer * size * inner);
  for (let i = 0; i < size; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(length, Math.trunc(center + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k + 0.5 - center) / support)),
    );
    const total = weights.reduce((sum, w) => sum + w, 0);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < inner; k++) {
        let sum = 0;
        for (let j = 0; j < weights.length; j++) sum += weights[j]! * data[(o * length + first + j) * inner + k]!;
        result[(o * size + i) * inner + k] = sum / total;
      }
    }
  }
  return result;
}
