import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { exp } from "./exp.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";

/** The error function `2/√π ∫₀ˣ exp(-t²) dt`. */
export const erf = (x: Value): Value => emit(Erf, [x]);

export const Erf = defineOperator({
  name: "Erf",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: within(-1, 1),
  // d erf x = 2/√π exp(-x²) dx
  gradient: ({ inputs: [x] }, [g]) => [mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))],
});
