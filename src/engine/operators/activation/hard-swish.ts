import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";
import { greater } from "../logic/greater.js";
import { less } from "../logic/less.js";
import { where } from "../logic/where.js";

/** `x min(max(x / 6 + 1/2, 0), 1)` (Howard et al. 2019, arXiv 1905.02244). */
export const hardSwish = (x: Value): Value => emit(HardSwish, [x]);

export const HardSwish = defineOperator({
  name: "HardSwish",
  inputs: ["X"],
  infer: sameAsInput,
  range: finite,
  // dy/dx = 0 where x < -3, 1 where x > 3, else x / 3 + 1/2
  gradient: ({ inputs: [x] }, [g]) => [where(less(x, -3), 0, where(greater(x, 3), g, mul(g, add(mul(x, 1 / 3), 0.5))))],
});
