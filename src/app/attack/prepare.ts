import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { Conversion } from "../../vision/data/conversions.js";
import type { Dataset, Sample } from "../../vision/data/dataset.js";
import { DataError } from "../../vision/data/error.js";
import { fitted } from "../../vision/data/fit.js";
import type { Extent, Mismatch } from "../../vision/framed-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { checkTileable, type Tiling } from "../../vision/tiling.js";

/**
 * How pictures come to a model; reported with the results, since numbers depend on it. First the picture itself may be resized or cropped: what comes
 * of it is what is attacked, measured and saved. Where its size does not suit the model, the predictor pads or scales it within the graph
 * (`framed`), or predicts it tile by tile.
 */
export type Fit = PictureFit & ({ readonly mismatch: Mismatch } | { readonly mismatch: "tile"; readonly tiles: Tiling });

/** Changes of the picture, in this order. */
export interface PictureFit {
  readonly resize?: Extent | undefined;
  /** Length that the shorter side is brought to, the shape kept. */
  readonly shorter?: number | undefined;
  /** Size of the middle part that is kept. */
  readonly crop?: Extent | undefined;
}

/** The dataset with its pictures resized and cropped. */
export function withPictures(dataset: Dataset, { resize, shorter, crop }: PictureFit): Dataset {
  let pictures = dataset;
  if (resize) pictures = fitted(pictures, { kind: "resize", ...resize });
  if (shorter !== undefined) pictures = fitted(pictures, { kind: "resize-shorter", side: shorter });
  return crop ? fitted(pictures, { kind: "crop", ...crop }) : pictures;
}

/** A sample as it is attacked: pictures on the 8-bit grid, the target in the form that the task's losses take. */
export interface Prepared {
  readonly index: number;
  readonly id: string;
  readonly images: Readonly<Record<string, Tensor<"float32">>>;
  readonly target: Tensor | undefined;
  /** float32 [H, W], 1 where the target is known. */
  readonly valid: Tensor<"float32"> | undefined;
  readonly height: number;
  readonly width: number;
  /** What was done to the pictures as they were read. */
  readonly converted?: readonly Conversion[];
}

/**
 * Brings a sample to the form in which it is attacked. Images are rounded to 8 bits, so that the clean image itself can be saved exactly.
 *
 * @param ignored what becomes of labels without ground truth.
 * @throws DataError when the sample has not the images that the task needs; SpecError when it is too small for the tiles.
 */
export function prepare(
  sample: Sample,
  index: number,
  roles: readonly string[],
  spec: ModelSpec,
  fit: Fit,
  ignored: "as they are" | typeof withoutTruth = "as they are",
): Prepared {
  const images = Object.fromEntries(
    roles.map((role, i) => {
      const image =
        sample.inputs[role] ?? (roles.length === 1 ? Object.values(sample.inputs)[0] : Object.values(sample.inputs)[i]);
      if (!image)
        throw new DataError(`${sample.id} has no image for "${role}"; it has ${Object.keys(sample.inputs).join(", ")}.`);
      return [role, toGrid(image)];
    }),
  );
  const [, height, width] = images[roles[0]!]!.shape as [number, number, number];
  if (fit.mismatch === "tile") checkTileable(sample.id, { height, width }, fit.tiles);
  const target = sample.target && labels(sample.target, spec, ignored);
  const valid = sample.valid && tensor("float32", sample.valid.shape, Float32Array.from(sample.valid.data as Uint8Array));
  const { id, converted } = sample;
  return { index, id, images, target, valid, height, width, ...(converted && { converted }) };
}

/**
 * The label of pixels without ground truth, where labels stand for the model's classes. Which labels of the data set those are is a matter of the data set
 * (`--ignore`): its 255 may mean that nothing is known, and the model's class 255, predicted or wanted, be a class like any other.
 */
export const withoutTruth = -100;

/** Labels as int64, shifted by the model's label offset; ignored ones stay as they are, or become `withoutTruth`. */
function labels(target: Tensor, spec: ModelSpec, becomes: "as they are" | typeof withoutTruth): Tensor {
  if (tasks[spec.task].kind !== "classes") return target;
  const ignored = new Set(spec.ignore);
  return tensor(
    "int64",
    target.shape,
    Array.from(target.data as ArrayLike<number | bigint>, (v) => {
      const [given, shifted] = [Number(v), Number(v) + spec.labelOffset];
      if (becomes === "as they are") return ignored.has(given) ? given : shifted;
      // a label that the offset makes negative (the 0 of data sets that count from 1) is no class either
      return ignored.has(given) || (shifted < 0 && ignored.has(shifted)) ? becomes : shifted;
    }),
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
