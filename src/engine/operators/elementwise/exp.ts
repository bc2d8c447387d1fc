import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { growing } from "../../graph/range.js";
import { overflowed } from "../bounded.js";
import { emit, sameAsInput } from "../emit.js";
import { mul } from "./mul.js";

/** `e^x` */
export const exp = (x: Value): Value => emit(Exp, [x]);

export const Exp = defineOperator({
  name: "Exp",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: growing(Math.exp, Number.NEGATIVE_INFINITY, 88),
  // d e^x = e^x dx; where that overflows, the largest number, so that what no longer matters passes 0 and not NaN
  gradient: ({ outputs: [y] }, [g]) => [mul(g, overflowed(y))],
});
