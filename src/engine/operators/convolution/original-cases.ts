import { Random } from "../../tensor/random.js";
import { sizeOf, tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

/** Shifts of up to two pixels that keep clear of the kinks at whole numbers. */
function offsets(shape: readonly number[]) {
  const random = new Random(3, shape.join());
  const values = Array.from({ length: sizeOf(shape) }, () => Math.floor(random.uniform(-2, 2)) + random.uniform(0.1, 0.9));
  return tensor("float32", shape, values);
}

const deformConv = (
  name: string,
  inputs: OriginalCase["inputs"],
  attributes: NonNullable<OriginalCase["attributes"]> = {},
): OriginalCase => ({ name: `DeformConv: ${name}`, operator: "DeformConv", opset: 19, inputs, attributes, step: 2e-3 });

export const convolutionOriginals: readonly OriginalCase[] = [
  deformConv("3x3", [[2, 3, 5, 6], [4, 3, 3, 3], offsets([2, 18, 3, 4])]),
  deformConv("with bias and mask, padded", [[1, 3, 5, 6], [4, 3, 3, 3], offsets([1, 18, 5, 6]), [4], [1, 9, 5, 6]], {
    pads: [1, 1, 1, 1],
  }),
  deformConv(
    "two offset groups, stride 2, mask",
    [[1, 4, 6, 7], [2, 4, 2, 3], offsets([1, 24, 3, 3]), undefined, [1, 12, 3, 3]],
    {
      offset_group: 2,
      strides: [2, 2],
      pads: [0, 0, 1, 0],
      kernel_shape: [2, 3],
    },
  ),
  deformConv("two groups, dilated", [[2, 4, 6, 7], [6, 2, 2, 2], offsets([2, 8, 4, 4]), [6]], { group: 2, dilations: [2, 3] }),
  deformConv("groups and offset groups", [[1, 4, 4, 4], [4, 2, 1, 1], offsets([1, 8, 4, 4])], { group: 2, offset_group: 4 }),
];
