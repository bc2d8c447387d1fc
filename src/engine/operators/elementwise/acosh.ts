import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { sqrt } from "./sqrt.js";
import { sub } from "./sub.js";

/** Inverse hyperbolic cosine, for x of at least 1. */
export const acosh = (x: Value): Value => emit(Acosh, [x]);

export const Acosh = defineOperator({
  name: "Acosh",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d acosh x = dx / √(x² - 1)
  gradient: ({ inputs: [x] }, [g]) => [div(g, sqrt(sub(mul(x, x), 1)))],
});
