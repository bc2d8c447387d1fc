import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

/** Hyperbolic tangent. */
export const tanh = (x: Value): Value => emit(Tanh, [x]);

export const Tanh = defineOperator({
  name: "Tanh",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: within(-1, 1),
  // d tanh x = (1 - tanh² x) dx
  gradient: ({ outputs: [y] }, [g]) => [mul(g, sub(1, mul(y, y)))],
});
