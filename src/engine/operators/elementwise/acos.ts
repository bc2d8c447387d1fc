import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";
import { sqrt } from "./sqrt.js";
import { sub } from "./sub.js";

/** Arc cosine, in radians. */
export const acos = (x: Value): Value => emit(Acos, [x]);

export const Acos = defineOperator({
  name: "Acos",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d acos x = -dx / √(1 - x²)
  gradient: ({ inputs: [x] }, [g]) => [neg(div(g, sqrt(sub(1, mul(x, x)))))],
});
