import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { emit, normalizeAxis } from "../emit.js";
import { reduceSum } from "../reduction/reduce-sum.js";

/** `e^xᵢ / Σⱼ e^xⱼ` along one axis. */
export const softmax = (x: Value, axis = -1): Value => emit(Softmax, [x], { axis });

export const Softmax = defineOperator({
  name: "Softmax",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { axis: int(-1) },
  infer: ({ inputs: [x], attributes, fail }) => {
    normalizeAxis(attributes.axis, x.shape.length, fail);
    return [x];
  },
  range: within(0, 1),
  // dx = y (g - Σ g y)
  gradient: ({ outputs: [y], attributes: { axis } }, [g]) => [mul(y, sub(g, reduceSum(mul(g, y), [axis], "keep")))],
});
