import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { add } from "./add.js";
import { mul } from "./mul.js";

/** Tangent of radians. */
export const tan = (x: Value): Value => emit(Tan, [x]);

export const Tan = defineOperator({
  name: "Tan",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d tan x = (1 + tan² x) dx
  gradient: ({ outputs: [y] }, [g]) => [mul(g, add(mul(y, y), 1))],
});
