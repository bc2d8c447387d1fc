import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { abs } from "../elementwise/abs.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";

/** Moves values outside `[-lambd, lambd]` towards zero by `bias` and sets the others to 0. */
export const shrink = (x: Value, lambd = 0.5, bias = 0): Value => emit(Shrink, [x], { lambd, bias });

export const Shrink = defineOperator({
  name: "Shrink",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { lambd: float(0.5), bias: float(0) },
  infer: sameAsInput,
  range: finite,
  // dy/dx = [|x| > lambd]
  gradient: ({ inputs: [x], attributes: { lambd } }, [g]) => [where(greater(abs(x), lambd), g, 0)],
});
