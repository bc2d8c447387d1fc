import type { Value } from "../../../engine/graph/graph.js";
import { concat, reduceL2, unsqueeze } from "../../../engine/operators/index.js";
import { type AxisTransform, imaginaryPart, realPart } from "./spectrum.js";

/** |A_rows X A_columnsᵀ| of each image of x: what published code takes where it means the real part. Its gradient at 0 is 0. */
export function magnitude(x: Value, rows: AxisTransform, columns: AxisTransform): Value {
  const parts = [realPart(x, rows, columns), imaginaryPart(x, rows, columns)].filter((part) => part !== undefined);
  return reduceL2(
    concat(
      parts.map((part) => unsqueeze(part, [-1])),
      x.shape.length,
    ),
    [-1],
  );
}
