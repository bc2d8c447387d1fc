import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

/** Inverse hyperbolic tangent, for x in (-1, 1). */
export const atanh = (x: Value): Value => emit(Atanh, [x]);

export const Atanh = defineOperator({
  name: "Atanh",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d atanh x = dx / (1 - x²)
  gradient: ({ inputs: [x] }, [g]) => [div(g, sub(1, mul(x, x)))],
});
