import type { Value } from "../../graph/graph.js";
import { defineOperator, ints } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit, normalizeAxis } from "../emit.js";
import { standardize, standardizeGradient } from "./standardize.js";

/** `(x - mean) / deviation` over the given axes (default: batch and pixels of an image). */
export const meanVarianceNormalization = (x: Value, axes: readonly number[] = [0, 2, 3]): Value =>
  emit(MeanVarianceNormalization, [x], { axes });

export const MeanVarianceNormalization = defineOperator({
  name: "MeanVarianceNormalization",
  inputs: ["X"],
  attributes: { axes: ints([0, 2, 3]) },
  infer: ({ inputs: [x], attributes, fail }) => {
    for (const axis of attributes.axes) normalizeAxis(axis, x.shape.length, fail);
    return [x];
  },
  range: finite,
  // The specification adds 1e-9 to the deviation against division by zero; the same constant beside the variance serves here.
  gradient: ({ inputs: [x], attributes: { axes } }, [g]) => [standardizeGradient(standardize(x, axes, 1e-9), g, axes)],
});
