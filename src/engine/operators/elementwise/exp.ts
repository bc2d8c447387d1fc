import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { growing } from "../../graph/range.js";
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
  // d e^x = e^x dx
  gradient: ({ outputs: [y] }, [g]) => [mul(g, y)],
});
