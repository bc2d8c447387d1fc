import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { readImage } from "../../vision/data/node/image-file.js";
import type { TaskName } from "../../vision/tasks/index.js";
import { UsageError } from "../cli/errors.js";
import { argmax, clampUnitTensor } from "./tensors.js";

/** What a targeted attack drives towards: makes one sample's target from its size and clean prediction. */
export type TargetMaker = (prediction: Tensor) => Tensor;

/**
 * Reads `--target`: a class number (classification, segmentation), "zero" or "negative" (flow, disparity), or the path of an image
 * (restoration).
 *
 * @throws UsageError when the word does not suit the task.
 */
export async function targetMaker(word: string, task: TaskName): Promise<TargetMaker> {
  if (task === "classification" || task === "segmentation") {
    const label = Number(word);
    if (!Number.isInteger(label) || label < 0)
      throw new UsageError(`--target ${word}: ${task} takes a class number, counted from 0.`);
    return (prediction) => {
      if (label >= prediction.shape[0]!)
        throw new UsageError(`--target ${word}: the model has the classes 0 to ${prediction.shape[0]! - 1}.`);
      const pixels = task === "classification" ? [] : prediction.shape.slice(1);
      return tensor("int64", pixels, new BigInt64Array(sizeOf(pixels)).fill(BigInt(label)));
    };
  }
  if (task === "restoration") {
    const image = await readImage(word);
    return (prediction) => {
      if (image.shape[1] !== prediction.shape[1] || image.shape[2] !== prediction.shape[2]) {
        throw new UsageError(
          `--target ${word}: the image is ${image.shape[2]}x${image.shape[1]}, the prediction ${prediction.shape[2]}x${prediction.shape[1]}; they must agree.`,
        );
      }
      return image;
    };
  }
  if (word === "zero") return (prediction) => tensor("float32", prediction.shape);
  if (word === "negative" && task === "flow")
    return (prediction) =>
      tensor(
        "float32",
        prediction.shape,
        (prediction.data as Float32Array).map((v) => -v),
      );
  throw new UsageError(
    `--target ${word}: ${task} takes ${task === "flow" ? '"zero" or "negative" (of the clean prediction)' : '"zero"'}.`,
  );
}

/** The model's clean prediction as a target. */
export function predictionAsTarget(prediction: Tensor, task: TaskName): Tensor {
  if (task === "classification" || task === "segmentation") {
    const pixels = task === "classification" ? [] : prediction.shape.slice(1);
    return tensor("int64", pixels, BigInt64Array.from(argmax(prediction), BigInt));
  }
  return task === "restoration" ? clampUnitTensor(prediction) : prediction;
}
