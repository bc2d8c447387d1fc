import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { less } from "../logic/less.js";
import { where } from "../logic/where.js";

/** `min(max(alpha x + beta, 0), 1)` */
export const hardSigmoid = (x: Value, alpha = 0.2, beta = 0.5): Value => emit(HardSigmoid, [x], { alpha, beta });

export const HardSigmoid = defineOperator({
  name: "HardSigmoid",
  inputs: ["X"],
  attributes: { alpha: float(0.2), beta: float(0.5) },
  infer: sameAsInput,
  range: within(0, 1),
  // dy/dx = alpha where 0 < y < 1, else 0
  gradient: ({ outputs: [y], attributes: { alpha } }, [g]) => [where(greater(y, 0), where(less(y, 1), mul(g, alpha), 0), 0)],
});
