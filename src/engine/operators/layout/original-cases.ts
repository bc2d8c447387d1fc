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

export const layoutOriginals: readonly OriginalCase[] = [
  wrapped("all axes", [1, 4, 6, 5], int64(0, 3, 2, 0, 0, 0, 1, 0)),
  wrapped("named axes", [1, 4, 6, 5], int64(3, 5, 2, 0), undefined, int64(-1, 2)),
  wrapped("less before", [3, 6], int64(-1, -2, 2, 1)),
];
