import { sizeOf, tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

/** Places between the elements, inside and outside, clear of the kinks at whole numbers. */
function grid(spatial: readonly number[], output: readonly number[], batch: number, corners: number) {
  const places = Array.from({ length: batch * sizeOf(output) }, (_, i) =>
    spatial.toReversed().map((size, axis) => {
      const pixel = ((i * [7, 5, 3][axis]!) % (size + 5)) - 3 + 0.28 + 0.06 * ((i * 3) % 8);
      return (2 * pixel - (size - 1)) / (corners ? size - 1 : size);
    }),
  );
  return tensor("float32", [batch, ...output, spatial.length], places.flat());
}

const sampled = (mode: string, padding_mode: string, align_corners: number): OriginalCase => {
  const places = grid([3, 4, 5], [2, 3, 4], 2, align_corners);
  return {
    name: `GridSample of a volume: ${mode}, ${padding_mode}, ${align_corners ? "align_corners" : "half_pixel"}`,
    operator: "GridSample",
    opset: 20,
    inputs: [[2, 3, 3, 4, 5], mode === "nearest" ? { constant: places } : places],
    attributes: { mode, padding_mode, align_corners },
    step: 5e-3,
  };
};

const int64 = (values: readonly number[]) => ({ constant: tensor("int64", [values.length], values) });

const resized = (
  opset: number,
  scales: readonly number[],
  attributes: NonNullable<OriginalCase["attributes"]>,
): OriginalCase => ({
  name: `Resize of opset ${opset}: by ${scales}, ${Object.values(attributes).join(", ")}`,
  operator: "Resize",
  opset,
  inputs: [
    [1, 2, 6, 5],
    opset < 13 ? { constant: tensor("float32", [0]) } : undefined,
    { constant: tensor("float32", [4], scales) },
  ],
  attributes,
});

const whole = (value: number) => ({ constant: tensor("int64", [], [value]) });
const stft = (name: string, inputs: OriginalCase["inputs"], onesided: number): OriginalCase => ({
  name: `STFT: ${name}, onesided ${onesided}`,
  operator: "STFT",
  opset: 17,
  inputs,
  attributes: { onesided },
});

export const resamplingOriginals: readonly OriginalCase[] = [
  stft("window", [[2, 20, 1], whole(3), [6]], 1),
  stft("no window", [[1, 21, 1], whole(4), undefined, whole(8)], 1),
  stft("real, all frequencies", [[1, 16, 1], whole(5), [5]], 0),
  ...["linear", "nearest", "cubic"].flatMap((mode) =>
    [
      [1, 1, 1.7, 0.6],
      [1, 1, 2, 3],
      [1, 1, 0.4, 2.7],
    ].map((scales) => resized(19, scales, { coordinate_transformation_mode: "half_pixel_symmetric", mode })),
  ),
  resized(19, [1, 1, 0.4, 0.7], { coordinate_transformation_mode: "half_pixel_symmetric", mode: "linear", antialias: 1 }),
  ...["linear", "cubic"].map((mode) =>
    resized(11, [1, 1, 1.7, 0.6], { coordinate_transformation_mode: "tf_half_pixel_for_nn", mode }),
  ),
  resized(11, [1, 1, 1.7, 0.6], { coordinate_transformation_mode: "tf_half_pixel_for_nn", nearest_mode: "ceil" }),
  ...["linear", "nearest"].flatMap((mode) =>
    ["zeros", "border", "reflection"].flatMap((padding) => [0, 1].map((corners) => sampled(mode, padding, corners))),
  ),
  ...[0, 1].flatMap((align_corners) => [
    {
      name: `AffineGrid for images, align_corners ${align_corners}`,
      operator: "AffineGrid",
      opset: 20,
      inputs: [[2, 2, 3], int64([2, 3, 4, 5])],
      attributes: { align_corners },
    },
    {
      name: `AffineGrid for volumes, align_corners ${align_corners}`,
      operator: "AffineGrid",
      opset: 20,
      inputs: [[2, 3, 4], int64([2, 1, 3, 4, 5])],
      attributes: { align_corners },
    },
  ]),
];
