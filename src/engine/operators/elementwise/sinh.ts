import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
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
  // d sinh x = cosh x dx
  gradient: ({ inputs: [x] }, [g]) => [mul(g, cosh(x))],
});
