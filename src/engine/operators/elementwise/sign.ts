import type { Value } from "../../graph/graph.js";
import { defineOperator, zeroGradient } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";

/** -1, 0 or 1. */
export const sign = (x: Value): Value => emit(Sign, [x]);

export const Sign = defineOperator({
  name: "Sign",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: within(-1, 1),
  gradient: zeroGradient("the sign is piecewise constant"),
});
