import { stack } from "../../engine/tensor/arrays.js";
import { describe, isFloat, sameShape, type Tensor, tensor, toNumbers } from "../../engine/tensor/tensor.js";
import { DataError } from "../data/error.js";
import type { Task } from "../tasks/index.js";

/** Images as one tensor float32 [N, 3, H, W], or as a list of float32 [3, H, W] of one size; RGB, in [0, 1], whatever the model takes. */
export type Images = Tensor | readonly Tensor[];

/** For tasks that look at two images: each by its role (`image1` and `image2`, `left` and `right`). */
export type ImagesByRole = Readonly<Record<string, Images>>;

/** Images that were checked: float32 [N, 3, H, W] by role, all of one shape. */
export interface ImageBatch {
  readonly byRole: Readonly<Record<string, Tensor<"float32">>>;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

const wanted = "images are float32[N, 3, height, width], RGB, in [0, 1]";

/**
 * Holds images against what every method here takes: one sentence for what is wrong, where, and what to do.
 *
 * @throws DataError for values outside [0, 1] or not a number, another order of axes, another number of channels, sizes or counts that do not agree.
 */
export function checkedImages(given: Images | ImagesByRole, { roles, name: task }: Pick<Task, "roles" | "name">): ImageBatch {
  if (given === null || typeof given !== "object") throw new DataError(`There are no images, but ${String(given)}; ${wanted}.`);
  const plain = isTensor(given) || Array.isArray(given);
  if (plain && roles.length > 1)
    throw new DataError(`${task} takes ${roles.length} images for each sample; give them as { ${roles.join(", ")} }.`);
  const sources: ImagesByRole = plain ? { [roles[0]]: given as Images } : (given as ImagesByRole);
  const unknown = Object.keys(sources).find((role) => !roles.includes(role));
  if (unknown !== undefined) throw new DataError(`${task} has no image "${unknown}"; it has ${roles.join(" and ")}.`);
  const byRole = Object.fromEntries(
    roles.map((role) => {
      const source = sources[role];
      if (source === undefined) throw new DataError(`The image "${role}" is missing; ${task} takes ${roles.join(" and ")}.`);
      return [role, checkedValues(batched(source, roles.length > 1 ? `"${role}"` : "The image batch"))];
    }),
  );
  const [first] = Object.entries(byRole);
  for (const [role, t] of Object.entries(byRole))
    if (!sameShape(t.shape, first![1].shape))
      throw new DataError(
        `"${first![0]}" is ${describe(first![1])}, but "${role}" is ${describe(t)}; both have the same count and size.`,
      );
  const [count, , height, width] = first![1].shape as [number, number, number, number];
  return { byRole, count, height, width };
}

export const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && "type" in value && "shape" in value && "data" in value;

/** One tensor [N, 3, H, W] of floating-point numbers. */
function batched(source: Images, what: string): Tensor {
  if (Array.isArray(source)) {
    if (source.length === 0) throw new DataError(`${what} is an empty list; give at least one image.`);
    source.forEach((t: unknown, i) => {
      if (!isTensor(t))
        throw new DataError(`Image ${i} of the list is no tensor; images of a list are float32[3, height, width].`);
      demandImages(t, `Image ${i}`, 3);
      const first = source[0] as Tensor;
      if (!sameShape(t.shape, first.shape))
        throw new DataError(
          `Image ${i} is ${describe(t)}, but image 0 is ${describe(first)}; give images of one size at a time, or resize them with resizeImage.`,
        );
    });
    return stack(source.map(asFloat32));
  }
  if (!isTensor(source))
    throw new DataError(
      `${what} is no tensor; ${wanted}: tensor("float32", [N, 3, height, width], values), or a list of images.`,
    );
  demandImages(source, what, 4);
  return source;
}

/** @throws DataError where type, axes or channels are others. */
function demandImages(t: Tensor, what: string, axes: 3 | 4): void {
  const shown = describe(t);
  if (!isFloat(t.type))
    throw new DataError(
      `${what} is ${shown}; ${wanted}${t.type === "uint8" ? ": divide by 255, or use imageFromSamples" : ": convert it"}.`,
    );
  if (t.shape.length !== axes)
    throw new DataError(
      axes === 4 && t.shape.length === 3
        ? `${what} is ${shown}, one image without a batch axis; give it as a list, [image].`
        : `${what} is ${shown}; ${axes === 4 ? wanted : "images of a list are float32[3, height, width]"}.`,
    );
  const [channels, last] = [t.shape[axes - 3]!, t.shape[axes - 1]!];
  if (channels !== 3)
    throw new DataError(
      last === 3 || last === 1 || last === 4
        ? `${what} is ${shown}, with the channels last; put them first (${axes === 4 ? "[N, 3, height, width]" : "[3, height, width]"}), or use imageFromSamples.`
        : channels === 1
          ? `${what} is ${shown}, gray; repeat the channel three times: images are RGB here, and the specification's channels say what the model takes.`
          : `${what} is ${shown}, of ${channels} channels; ${wanted}.`,
    );
  if (t.data.length === 0) throw new DataError(`${what} is ${shown} and holds no pixel.`);
}

const asFloat32 = (t: Tensor): Tensor<"float32"> =>
  t.type === "float32" ? (t as Tensor<"float32">) : tensor("float32", t.shape, Float32Array.from(toNumbers(t)));

/** @throws DataError naming the first value that is none of an image. */
function checkedValues(t: Tensor): Tensor<"float32"> {
  const images = asFloat32(t);
  // 1e-6 is left to rounding.
  const at = images.data.findIndex((v) => !(v >= -1e-6 && v <= 1 + 1e-6));
  if (at < 0) return images;
  const value = images.data[at]!;
  let [least, most] = [value, value];
  for (const v of images.data) [least, most] = [Math.min(least, v), Math.max(most, v)];
  const advice = Number.isNaN(value)
    ? "correct it"
    : least < 0
      ? "give images as they are before normalization: the specification's range says what the model takes"
      : most > 1.5
        ? "divide by 255 if they count from 0 to 255"
        : "clip them";
  throw new DataError(
    `${placeOf(at, images.shape)} is ${Number.isNaN(value) ? "not a number" : String(value)}, but images are in [0, 1] here whatever the model takes; ${advice}.`,
  );
}

/** "Image 2 at channel 0, row 5, column 7". */
export function placeOf(at: number, [, channels, height, width]: readonly number[]): string {
  const column = at % width!;
  const row = Math.floor(at / width!) % height!;
  const channel = Math.floor(at / (width! * height!)) % channels!;
  return `Image ${Math.floor(at / (width! * height! * channels!))} at channel ${channel}, row ${row}, column ${column}`;
}
