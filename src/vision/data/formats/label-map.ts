/** Segmentation masks: class indices stored as a palette PNG (VOC) or a gray PNG (Cityscapes, ADE20K, most others). */
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../error.js";
import { decodePng } from "./png.js";

/**
 * Reads a mask as stored indices, int32 `[H, W]`.
 *
 * @param remap what a stored value becomes; the value itself when absent. `undefined` marks a value that the dataset does not have.
 * @throws DataError when the file is no PNG, or holds colors rather than indices, or a value that `remap` does not know.
 */
export function parseLabelMap(bytes: Uint8Array, remap?: (stored: number) => number | undefined): Tensor<"int32"> {
  const { width, height, data, color } = decodePng(bytes);
  if (color !== "palette" && color !== "gray") {
    throw new DataError(
      `A mask holds class indices (palette or gray PNG); this one is ${color}: convert its colors to indices first.`,
    );
  }
  const table = new Map<number, number>();
  const labels = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const stored = data[i]!;
    let label = table.get(stored);
    if (label === undefined) {
      label = remap ? remap(stored) : stored;
      if (label === undefined) throw new DataError(`The mask holds the value ${stored}, which this dataset does not have.`);
      table.set(stored, label);
    }
    labels[i] = label;
  }
  return tensor("int32", [height, width], labels);
}

/** Reads a mask of yes and no (Sintel's occlusions): 1 where the stored value is not 0, bool `[H, W]`. */
export function parseBinaryMask(bytes: Uint8Array): Tensor<"bool"> {
  const { width, height, data, channels } = decodePng(bytes);
  const mask = Uint8Array.from({ length: width * height }, (_, i) => (data[i * channels]! > 0 ? 1 : 0));
  return tensor("bool", [height, width], mask);
}
