import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { overflowed } from "../bounded.js";
import { emit, sameAsInput } from "../emit.js";
import { cosh } from "./cosh.js";
import { mul } from "./mul.js";

/** Hyperbolic sine. */
export const sinh = (x: Value): Value => emit(Sinh, [x]);

export const Sinh = defineOperator({
  name: "Sinh",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d sinh x = cosh x dx; the largest number where that overflows, as for e^x
  gradient: ({ inputs: [x] }, [g]) => [mul(g, overflowed(cosh(x)))],
});
