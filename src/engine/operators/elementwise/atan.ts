import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { add } from "./add.js";
import { div } from "./div.js";
import { mul } from "./mul.js";

/** Arc tangent, in radians. */
export const atan = (x: Value): Value => emit(Atan, [x]);

export const Atan = defineOperator({
  name: "Atan",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: within(-Math.PI / 2, Math.PI / 2),
  // d atan x = dx / (1 + x²)
  gradient: ({ inputs: [x] }, [g]) => [div(g, add(mul(x, x), 1))],
});
