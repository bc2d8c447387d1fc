import { describe, type Shape, sameShape, type Tensor } from "../../engine/tensor/tensor.js";
import type { InputShapes } from "../../vision/nn/model.js";
import type { TrainingBatch } from "./batch.js";
import { TrainingError } from "./error.js";
import type { TrainingLoss } from "./losses.js";

/** What a trainer takes: fixed when its graph was made. */
export interface ExpectedBatch {
  readonly inputs: InputShapes;
  /** Of the network's prediction for them. */
  readonly prediction: Shape;
  readonly loss: TrainingLoss;
}

/**
 * Labels beyond the classes would not fail in the graph: their pixels would merely have no loss.
 *
 * @throws TrainingError where images, targets or labels are not what the network is for.
 */
export function checkBatch({ images, target }: TrainingBatch, { inputs, prediction, loss }: ExpectedBatch): void {
  for (const [name, shape] of Object.entries(inputs)) {
    const image = images[name];
    if (!image || !sameShape(image.shape, shape))
      throw new TrainingError(
        `The network takes "${name}" as [${shape.join(", ")}], but the batch has ${image ? `[${image.shape.join(", ")}]` : "none"}.`,
      );
  }
  const { type, shape } = loss.target({ type: "float32", shape: prediction });
  if (target.type !== type || !sameShape(target.shape, shape))
    throw new TrainingError(
      `The network predicts [${prediction.join(", ")}], whose target is ${describe({ type, shape })}, but the batch has ${describe(target)}.`,
    );
  if (type === "int64") checkLabels(target, prediction[1]!, loss.ignore);
}

function checkLabels({ data }: Tensor, classes: number, ignore: readonly number[]): void {
  const labels = data as BigInt64Array;
  // The lower halves of 64-bit integers: a tenth of the time of as many BigInts.
  const halves = new Int32Array(labels.buffer, labels.byteOffset, 2 * labels.length);
  for (let i = 0; i < halves.length; i += 2) {
    const label = halves[i]!;
    const small = halves[i + 1] === label >> 31;
    if (!small || ((label < 0 || label >= classes) && !ignore.includes(label)))
      throw new TrainingError(
        `The data have the label ${labels[i / 2]}, but the network's classes are 0 to ${classes - 1}, and ignored are ${ignore.join(", ") || "none"}.`,
      );
  }
}
