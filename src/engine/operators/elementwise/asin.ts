import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { sqrt } from "./sqrt.js";
import { sub } from "./sub.js";

/** Arc sine, in radians. */
export const asin = (x: Value): Value => emit(Asin, [x]);

export const Asin = defineOperator({
  name: "Asin",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d asin x = dx / √(1 - x²)
  gradient: ({ inputs: [x] }, [g]) => [div(g, sqrt(sub(1, mul(x, x))))],
});
