import { tensor } from "../../tensor/tensor.js";
import type { OriginalCase } from "../../testing/original-case.js";

const int64 = (...values: number[]) => ({ constant: tensor("int64", [values.length], values) });
const wrapped = (name: string, x: readonly number[], ...rest: OriginalCase["inputs"]): OriginalCase => ({
  name: `Pad by wrap: ${name}`,
  operator: "Pad",
  opset: 19,
  inputs: [x, ...rest],
  attributes: { mode: "wrap" },
});

const columns = (name: string, x: readonly number[], image: number[], block: number[], attributes: object): OriginalCase => ({
  name: `Col2Im: ${name}`,
  operator: "Col2Im",
  opset: 18,
  inputs: [x, int64(...image), int64(...block)],
  attributes: { ...attributes },
});
const centered = (x: readonly number[], sizes: number[], axes?: number[]): OriginalCase => ({
  name: `CenterCropPad: [${x}] to [${sizes}]${axes ? `, axes ${axes}` : ""}`,
  operator: "CenterCropPad",
  opset: 18,
  inputs: [x, int64(...sizes)],
  attributes: axes ? { axes } : {},
});

export const layoutOriginals: readonly OriginalCase[] = [
  columns("strides", [2, 8, 6], [5, 6], [2, 2], { strides: [2, 2] }),
  columns("pads", [1, 12, 25], [4, 5], [2, 3], { pads: [1, 0, 1, 2] }),
  columns("dilations", [1, 4, 15], [5, 6], [2, 2], { dilations: [2, 1] }),
  columns("all three", [1, 8, 20], [5, 6], [2, 2], { dilations: [2, 1], pads: [1, 2, 1, 0], strides: [1, 2] }),
  columns("one axis", [2, 6, 4], [6], [3], {}),
  columns("three axes", [1, 8, 12], [3, 3, 4], [2, 2, 2], {}),
  centered([3, 5, 4], [2, 8, 4]),
  centered([3, 5, 4], [6, 2, 7]),
  centered([2, 3, 5, 4], [4, 7], [2, 3]),
  centered([2, 3, 5, 4], [8, 1], [-1, -2]),
  wrapped("all axes", [1, 4, 6, 5], int64(0, 3, 2, 0, 0, 0, 1, 0)),
  wrapped("named axes", [1, 4, 6, 5], int64(3, 5, 2, 0), undefined, int64(-1, 2)),
  wrapped("less before", [3, 6], int64(-1, -2, 2, 1)),
];
