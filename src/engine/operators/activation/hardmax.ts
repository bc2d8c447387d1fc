import type { Value } from "../../graph/graph.js";
import { defineOperator, int, zeroGradient } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { emit, normalizeAxis } from "../emit.js";

/** 1 at the first maximum along one axis, 0 elsewhere. */
export const hardmax = (x: Value, axis = -1): Value => emit(Hardmax, [x], { axis });

export const Hardmax = defineOperator({
  name: "Hardmax",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { axis: int(-1) },
  infer: ({ inputs: [x], attributes, fail }) => {
    normalizeAxis(attributes.axis, x.shape.length, fail);
    return [x];
  },
  range: within(0, 1),
  gradient: zeroGradient("the position of the maximum is piecewise constant"),
});
