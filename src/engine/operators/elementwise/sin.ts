import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { cos } from "./cos.js";
import { mul } from "./mul.js";

/** Sine of radians. */
export const sin = (x: Value): Value => emit(Sin, [x]);

export const Sin = defineOperator({
  name: "Sin",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: within(-1, 1),
  // d sin x = cos x dx
  gradient: ({ inputs: [x] }, [g]) => [mul(g, cos(x))],
});
