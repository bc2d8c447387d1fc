import sharp from "sharp";
import { type Shape, sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Sample } from "../../vision/data/dataset.js";
import { DataError } from "../../vision/data/error.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import type { Tiling } from "../../vision/tiling.js";

/**
 * How images come to a size that the model takes; reported with the results, since numbers depend on it. Where the size does not suit the model:
 * reflect-pad to the next multiple and crop the prediction, or resize; or keep it, and predict the image tile by tile whatever its size.
 */
export type Fit = {
  /** Images are first resized to this (bicubic); absent: they keep their size. */
  readonly resize?: { readonly height: number; readonly width: number } | undefined;
} & ({ readonly mismatch: "pad" | "resize" } | { readonly mismatch: "tile"; readonly tiles: Tiling });

/** A sample at the size at which it is attacked, on the 8-bit grid, with its target in the form that the task's losses take. */
export interface Prepared {
  readonly index: number;
  readonly id: string;
  readonly images: Readonly<Record<string, Tensor<"float32">>>;
  readonly target: Tensor | undefined;
  /** float32 [H, W]; present for flow and disparity, and wherever padding was added. */
  readonly valid: Tensor<"float32"> | undefined;
  /** The part that is not padding. */
  readonly height: number;
  readonly width: number;
}

/**
 * Brings a sample to a size that can be predicted. Images are rounded to 8 bits after resizing, so that the clean image itself can be saved exactly.
 *
 * @throws DataError when the sample has not the images that the task needs, or the size cannot be suited.
 */
export async function prepare(
  sample: Sample,
  index: number,
  roles: readonly string[],
  spec: ModelSpec,
  fit: Fit,
): Promise<Prepared> {
  const given = Object.fromEntries(
    roles.map((role, i) => {
      const image =
        sample.inputs[role] ?? (roles.length === 1 ? Object.values(sample.inputs)[0] : Object.values(sample.inputs)[i]);
      if (!image)
        throw new DataError(`${sample.id} has no image for "${role}"; it has ${Object.keys(sample.inputs).join(", ")}.`);
      return [role, image];
    }),
  );
  const first = given[roles[0]!]!;
  const [original, wanted] = [{ height: first.shape[1]!, width: first.shape[2]! }, fit.resize];
  let size = wanted ?? original;
  const rule: ModelSpec["size"] = fit.mismatch === "tile" ? { rule: "any" } : spec.size;
  if (rule.rule === "fixed") size = { height: rule.height, width: rule.width };
  else if (rule.rule === "multiple" && fit.mismatch === "resize")
    size = { height: nearestMultiple(size.height, rule.of), width: nearestMultiple(size.width, rule.of) };
  const resized = size.height !== original.height || size.width !== original.width;
  let images: Record<string, Tensor<"float32">> = {};
  for (const [role, image] of Object.entries(given))
    images[role] = toGrid(resized ? await resizeImage(image, size.height, size.width) : image);
  let target = sample.target && labels(sample.target, spec);
  let valid = sample.valid && tensor("float32", sample.valid.shape, Float32Array.from(sample.valid.data as Uint8Array));
  if (resized) {
    target = target && (await resizeTarget(target, size, original, spec.task));
    valid = valid && (resizeNearest(valid, size.height, size.width) as Tensor<"float32">);
  }
  const { height, width } = size;
  if (fit.mismatch === "tile" && (fit.tiles.height > 2 * height - 1 || fit.tiles.width > 2 * width - 1))
    throw new DataError(
      `${sample.id} is ${width}x${height}, too small to be mirrored to a tile of ${fit.tiles.width}x${fit.tiles.height}; resize it with --resize, or take smaller tiles.`,
    );
  if (rule.rule === "multiple") {
    const [h, w] = [Math.ceil(height / rule.of) * rule.of, Math.ceil(width / rule.of) * rule.of];
    if (h !== height || w !== width) {
      if (h - height >= height || w - width >= width)
        throw new DataError(
          `${sample.id} is ${width}x${height}, too small to be padded to a multiple of ${rule.of}; resize it with --resize.`,
        );
      images = Object.fromEntries(
        Object.entries(images).map(([role, image]) => [role, pad(image, h, w, "reflect") as Tensor<"float32">]),
      );
      target = target && (spec.task === "classification" ? target : pad(target, h, w, "reflect"));
      const inside = valid ?? tensor("float32", [height, width], new Float32Array(height * width).fill(1));
      valid = pad(inside, h, w, 0) as Tensor<"float32">;
    }
  }
  return { index, id: sample.id, images, target, valid, height, width };
}

/** Labels as int64, shifted by the model's label offset; ignored ones stay as they are. */
function labels(target: Tensor, spec: ModelSpec): Tensor {
  if (spec.task !== "classification" && spec.task !== "segmentation") return target;
  const ignored = new Set(spec.ignore);
  return tensor(
    "int64",
    target.shape,
    Array.from(target.data as ArrayLike<number | bigint>, (v) =>
      ignored.has(Number(v)) ? Number(v) : Number(v) + spec.labelOffset,
    ),
  );
}

/** Float images to the nearest k / 255. */
function toGrid(image: Tensor<"float32">): Tensor<"float32"> {
  return tensor(
    "float32",
    image.shape,
    image.data.map((v) => Math.min(255, Math.max(0, Math.round(v * 255))) / 255),
  );
}

async function resizeImage(image: Tensor<"float32">, height: number, width: number): Promise<Tensor<"float32">> {
  const [, h, w] = image.shape as [number, number, number];
  const plane = h * w;
  const pixels = new Uint8Array(plane * 3);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) pixels[i * 3 + c] = Math.round(image.data[c * plane + i]! * 255);
  const { data } = await sharp(pixels, { raw: { width: w, height: h, channels: 3 } })
    .resize(width, height, { fit: "fill", kernel: "cubic" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const out = tensor("float32", [3, height, width]);
  for (let i = 0; i < height * width; i++) for (let c = 0; c < 3; c++) out.data[c * height * width + i] = data[i * 3 + c]! / 255;
  return out;
}

async function resizeTarget(
  target: Tensor,
  to: { height: number; width: number },
  from: { height: number; width: number },
  task: ModelSpec["task"],
): Promise<Tensor> {
  if (task === "classification") return target;
  if (task === "restoration") return resizeImage(target as Tensor<"float32">, to.height, to.width);
  const resized = resizeNearest(target, to.height, to.width);
  if (task === "segmentation") return resized;
  // Motion is measured in pixels of the new size.
  const scales = task === "flow" ? [to.width / from.width, to.height / from.height] : [to.width / from.width];
  const n = to.height * to.width;
  return tensor(
    "float32",
    resized.shape,
    (resized.data as Float32Array).map((v, i) => v * scales[Math.floor(i / n)]!),
  );
}

/** The value at the pixel whose centre is nearest. Works on [.., H, W]. */
function resizeNearest(t: Tensor, height: number, width: number): Tensor {
  const [h, w] = t.shape.slice(-2) as [number, number];
  const lead = t.shape.slice(0, -2);
  const out = tensor(t.type, [...lead, height, width]);
  const [from, to] = [t.data as Float32Array, out.data as Float32Array];
  for (let l = 0; l < sizeOf(lead); l++) {
    for (let y = 0; y < height; y++) {
      const sy = Math.min(h - 1, Math.floor(((y + 0.5) * h) / height));
      for (let x = 0; x < width; x++)
        to[(l * height + y) * width + x] = from[(l * h + sy) * w + Math.min(w - 1, Math.floor(((x + 0.5) * w) / width))]!;
    }
  }
  return out;
}

/** Extends [.., H, W] to the right and below: mirrored without repeating the edge, or with a number. */
function pad(t: Tensor, height: number, width: number, fill: "reflect" | number): Tensor {
  const [h, w] = t.shape.slice(-2) as [number, number];
  const lead = t.shape.slice(0, -2);
  const out = tensor(t.type, [...lead, height, width]);
  const mirror = (i: number, n: number) => (i < n ? i : 2 * n - 2 - i);
  const [from, to] = [t.data as Float32Array, out.data as Float32Array];
  for (let l = 0; l < sizeOf(lead); l++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = y < h && x < w;
        to[(l * height + y) * width + x] =
          inside || fill === "reflect" ? from[(l * h + mirror(y, h)) * w + mirror(x, w)]! : (fill as number);
      }
    }
  }
  return out;
}

/** Cuts the padding off: [.., H, W] -> [.., height, width]. */
export function cropTo(t: Tensor, height: number, width: number): Tensor {
  const [h, w] = t.shape.slice(-2) as [number, number];
  if (t.shape.length < 2 || (h === height && w === width)) return t;
  const lead: Shape = t.shape.slice(0, -2);
  const out = tensor(t.type, [...lead, height, width]);
  const [from, to] = [t.data as Float32Array, out.data as Float32Array];
  for (let l = 0; l < sizeOf(lead); l++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) to[(l * height + y) * width + x] = from[(l * h + y) * w + x]!;
  return out;
}

const nearestMultiple = (n: number, of: number): number => Math.max(of, Math.round(n / of) * of);
