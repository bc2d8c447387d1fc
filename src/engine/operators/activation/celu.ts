import type { Value } from "../../graph/graph.js";
import { defineOperator, float } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";

/** `x` where positive, else `alpha (e^(x / alpha) - 1)` (Barron 2017, arXiv 1704.07483). */
export const celu = (x: Value, alpha = 1): Value => emit(Celu, [x], { alpha });

export const Celu = defineOperator({
  name: "Celu",
  inputs: ["X"],
  attributes: { alpha: float(1) },
  infer: sameAsInput,
  range: finite,
  // dy/dx = 1 where x > 0, else e^(x / alpha) = y / alpha + 1
  gradient: ({ inputs: [x], outputs: [y], attributes: { alpha } }, [g]) => [
    where(greater(x, 0), g, mul(g, add(mul(y, 1 / alpha), 1))),
  ],
});
