import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { tasks } from "../tasks/index.js";
import type { Dataset } from "./dataset.js";

/**
 * The data set in shades of gray, for networks that take one channel: each image (and each target that is an image) becomes its luma
 * [1, H, W], .299 R + .587 G + .114 B (ITU-R BT.601), as `preprocess` makes it for such models.
 *
 * @example grayscale(await openDataset("GoPro", { task: "restoration" }))
 */
export function grayscale(dataset: Dataset): Dataset {
  return {
    ...dataset,
    describe: () => `${dataset.describe()} In shades of gray.`,
    sample: async (index) => {
      const sample = await dataset.sample(index);
      return {
        ...sample,
        inputs: Object.fromEntries(Object.entries(sample.inputs).map(([name, image]) => [name, luma(image)])),
        ...(sample.target && tasks[dataset.task].kind === "picture" && { target: luma(sample.target as Tensor<"float32">) }),
      };
    },
  };
}

function luma({ shape, data }: Tensor<"float32">): Tensor<"float32"> {
  const [, height, width] = shape as [number, number, number];
  const area = height * width;
  const gray = tensor("float32", [1, height, width]);
  for (let i = 0; i < area; i++) gray.data[i] = 0.299 * data[i]! + 0.587 * data[area + i]! + 0.114 * data[2 * area + i]!;
  return gray;
}
