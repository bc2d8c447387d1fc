import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";

/** `x` where positive, else `alpha (e^x - 1)`. */
export const elu = (x: Value, alpha = 1): Value => emit(Elu, [x], { alpha });

export const Elu = defineOperator({
  name: "Elu",
  inputs: ["X"],
  attributes: { alpha: float(1) },
  infer: sameAsInput,
  range: finite,
  // dy/dx = 1 where x > 0, else alpha e^x = y + alpha
  gradient: ({ inputs: [x], outputs: [y], attributes: { alpha } }, [g]) => [where(greater(x, 0), g, mul(g, add(y, alpha)))],
});
