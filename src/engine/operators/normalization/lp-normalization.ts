import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { sign } from "../elementwise/sign.js";
import { sub } from "../elementwise/sub.js";
import { emit, normalizeAxis } from "../emit.js";
import { equal } from "../logic/equal.js";
import { where } from "../logic/where.js";
import { reduceL1 } from "../reduction/reduce-l1.js";
import { reduceL2 } from "../reduction/reduce-l2.js";
import { reduceSum } from "../reduction/reduce-sum.js";

/** `x / ‖x‖ₚ` along one axis, with p 1 or 2; zero vectors stay zero. */
export const lpNormalization = (x: Value, axis = -1, p: 1 | 2 = 2): Value => emit(LpNormalization, [x], { axis, p });

export const LpNormalization = defineOperator({
  name: "LpNormalization",
  inputs: ["input"],
  outputs: ["output"],
  attributes: { axis: int(-1), p: int(2, [1, 2]) },
  infer: ({ inputs: [x], attributes, fail }) => {
    normalizeAxis(attributes.axis, x.shape.length, fail);
    if (attributes.p !== 1 && attributes.p !== 2) fail(`p must be 1 or 2, not ${attributes.p}`);
    return [x];
  },
  range: within(-1, 1),
  // y = x / n with dn = Σ d dx, where d = x / n = y for p = 2 and sign(x) for p = 1: dx = (g - d Σ g y) / n; 0 at the zero vector
  gradient: ({ inputs: [x], outputs: [y], attributes: { axis, p } }, [g]) => {
    const norm = p === 1 ? reduceL1(x, [axis], "keep") : reduceL2(x, [axis], "keep");
    const direction = p === 1 ? sign(x) : y;
    const numerator = sub(g, mul(direction, reduceSum(mul(g, y), [axis], "keep")));
    return [where(equal(norm, 0), 0, div(numerator, norm))];
  },
});
