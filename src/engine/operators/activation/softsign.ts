import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { abs } from "../elementwise/abs.js";
import { add } from "../elementwise/add.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { emit, sameAsInput } from "../emit.js";

/** `x / (1 + |x|)` */
export const softsign = (x: Value): Value => emit(Softsign, [x]);

export const Softsign = defineOperator({
  name: "Softsign",
  inputs: ["X"],
  infer: sameAsInput,
  range: within(-1, 1),
  // dy/dx = 1 / (1 + |x|)²
  gradient: ({ inputs: [x] }, [g]) => {
    const d = add(abs(x), 1);
    return [div(g, mul(d, d))];
  },
});
