import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { exp } from "../elementwise/exp.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { emit, normalizeAxis } from "../emit.js";
import { reduceSum } from "../reduction/reduce-sum.js";

/** `log(e^xᵢ / Σⱼ e^xⱼ)` along one axis. */
export const logSoftmax = (x: Value, axis = -1): Value => emit(LogSoftmax, [x], { axis });

export const LogSoftmax = defineOperator({
  name: "LogSoftmax",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { axis: int(-1) },
  infer: ({ inputs: [x], attributes, fail }) => {
    normalizeAxis(attributes.axis, x.shape.length, fail);
    return [x];
  },
  range: within(Number.NEGATIVE_INFINITY, 0),
  // dx = g - e^y Σ g
  gradient: ({ outputs: [y], attributes: { axis } }, [g]) => [sub(g, mul(exp(y), reduceSum(g, [axis], "keep")))],
});
