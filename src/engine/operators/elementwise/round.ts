import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";

/** The nearest whole number; halves go to the even one. */
export const round = (x: Value): Value => emit(Round, [x]);

export const Round = defineOperator({
  name: "Round",
  inputs: ["X"],
  infer: sameAsInput,
  range: finite,
  // piecewise constant, hence 0; or straight-through, d round(x) = dx, where the options ask for it
  gradient: ({ options }, [g]) => [options.rounding === "straight-through" ? g : undefined],
});
