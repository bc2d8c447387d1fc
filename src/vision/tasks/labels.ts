import { argmax } from "../../engine/tensor/arrays.js";
import { sizeOf, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { WishError, type WishRule } from "./task.js";

// What classification and segmentation share on arrays: class labels of one sample.

/** The predicted class, of the image or of each pixel, as a target. */
export const predictedLabels = (prediction: Tensor): Tensor<"int64"> =>
  tensor("int64", prediction.shape.slice(1), BigInt64Array.from(argmax(prediction), BigInt));

/** One class, of the image or of every pixel. */
export const oneClass = (task: string): WishRule => ({
  takes: "a class number, counted from 0",
  async read(word) {
    const label = Number(word);
    if (!Number.isInteger(label) || label < 0)
      throw new WishError(`--target ${word}: ${task} takes a class number, counted from 0.`);
    return (prediction) => {
      if (label >= prediction.shape[0]!)
        throw new WishError(`--target ${word}: the model has the classes 0 to ${prediction.shape[0]! - 1}.`);
      const pixels = prediction.shape.slice(1);
      return tensor("int64", pixels, new BigInt64Array(sizeOf(pixels)).fill(BigInt(label)));
    };
  },
  say: (word, className) => {
    const name = className(Number(word));
    return `class ${word}${name ? ` (${name})` : ""}`;
  },
});
