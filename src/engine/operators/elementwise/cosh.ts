import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { overflowed } from "../bounded.js";
import { emit, sameAsInput } from "../emit.js";
import { mul } from "./mul.js";
import { sinh } from "./sinh.js";

/** Hyperbolic cosine. */
export const cosh = (x: Value): Value => emit(Cosh, [x]);

export const Cosh = defineOperator({
  name: "Cosh",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d cosh x = sinh x dx; the largest number where that overflows, as for e^x
  gradient: ({ inputs: [x] }, [g]) => [mul(g, overflowed(sinh(x)))],
});
