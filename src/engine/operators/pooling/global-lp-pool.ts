import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { normGradient } from "./norm-gradient.js";
import { inferGlobalPool } from "./pool.js";

/** The p-norm `(Σ |x|^p)^(1/p)` over all spatial axes, which remain as axes of size 1; default p = 2. */
export const globalLpPool = (x: Value, p = 2): Value => emit(GlobalLpPool, [x], { p });

export const GlobalLpPool = defineOperator({
  name: "GlobalLpPool",
  inputs: ["X"],
  attributes: { p: int(2) },
  infer: inferGlobalPool,
  range: notNegative,
  // dx = sign(x) |x|^(p-1) · g y^(1-p)
  gradient: ({ inputs: [x], outputs: [y], attributes }, [g]) => {
    const { ofNorm, ofElement } = normGradient(x, y, attributes.p);
    return [mul(ofElement, mul(g, ofNorm))];
  },
});
