import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";

/** `x` where positive, else `alpha x`. */
export const leakyRelu = (x: Value, alpha = 0.01): Value => emit(LeakyRelu, [x], { alpha });

export const LeakyRelu = defineOperator({
  name: "LeakyRelu",
  inputs: ["X"],
  attributes: { alpha: float(0.01) },
  infer: sameAsInput,
  range: finite,
  // dy/dx = 1 where x > 0, else alpha (also at 0). The sign of y is that of x, except for negative alpha.
  gradient: ({ inputs: [x], outputs: [y], attributes: { alpha } }, [g]) => [
    where(greater(alpha >= 0 ? y : x, 0), g, mul(g, alpha)),
  ],
});
