import { type Tensor, tensor } from "../../src/engine/tensor/tensor.js";
import { type Dataset, datasetOf } from "../../src/vision/data/index.js";

/**
 * A deblurring data set in which the camera shakes the same way in every picture: what was sharp is the target, and the input is it averaged along a bent
 * path of `length` pixels, rounded to 8 bits. One blur for all is learned in minutes, where that of moving things takes days.
 */
export function shaken(sharp: Dataset, length: number): Dataset {
  const kernel = bentPath(length);
  const indices = Array.from({ length: sharp.length }, (_, i) => i);
  const labelling = { name: "shaken", task: sharp.task };
  return datasetOf(labelling, indices, `${sharp.describe()} Shaken over ${length} pixels.`, async (index) => {
    const sample = await sharp.sample(index);
    return { ...sample, inputs: { image: averaged(sample.target as Tensor<"float32">, kernel) } };
  });
}

interface Kernel {
  /** Pixels to each side of the middle. */
  readonly reach: number;
  /** (2 reach + 1)², row by row; the sum is 1. */
  readonly weights: Float64Array;
}

/** The path (length t, length t² - length / 12), t from -½ to ½: its middle stays in place. */
function bentPath(length: number): Kernel {
  const reach = Math.ceil(length / 2) + 1;
  const side = 2 * reach + 1;
  const weights = new Float64Array(side * side);
  const count = 8 * Math.ceil(length) + 1;
  for (let k = 0; k < count; k++) {
    const t = k / (count - 1) - 0.5;
    const [x, y] = [length * t + reach, length * (t * t - 1 / 12) + reach];
    const [column, row] = [Math.floor(x), Math.floor(y)];
    for (const [dy, dx] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      weights[(row + dy) * side + column + dx]! +=
        ((dx === 1 ? x - column : 1 - x + column) * (dy === 1 ? y - row : 1 - y + row)) / count;
  }
  return { reach, weights };
}

/** The border is repeated outward. */
function averaged({ shape, data }: Tensor<"float32">, { reach, weights }: Kernel): Tensor<"float32"> {
  const [channels, height, width] = shape as [number, number, number];
  const side = 2 * reach + 1;
  const inside = (k: number, n: number) => Math.min(Math.max(k, 0), n - 1);
  const blurred = new Float32Array(data.length);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let sum = 0;
        weights.forEach((w, k) => {
          if (w === 0) return;
          const [row, column] = [inside(y + Math.floor(k / side) - reach, height), inside(x + (k % side) - reach, width)];
          sum += w * data[(c * height + row) * width + column]!;
        });
        blurred[(c * height + y) * width + x] = Math.round(255 * sum) / 255;
      }
  return tensor("float32", shape, blurred);
}
