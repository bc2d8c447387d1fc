import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { add } from "./add.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { sqrt } from "./sqrt.js";

/** Inverse hyperbolic sine. */
export const asinh = (x: Value): Value => emit(Asinh, [x]);

export const Asinh = defineOperator({
  name: "Asinh",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: finite,
  // d asinh x = dx / √(x² + 1)
  gradient: ({ inputs: [x] }, [g]) => [div(g, sqrt(add(mul(x, x), 1)))],
});
