import type { Value } from "../../graph/graph.js";
import { defineOperator, int, ints, type Operator } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import type { MaxPoolOptions } from "./max-pool.js";
import { normGradient } from "./norm-gradient.js";
import { inferPool, plainPool, poolAttributes, poolingAttributes, poolWindows } from "./pool.js";
import { sumOfWindowsAt } from "./window-sum.js";

/** The p-norm `(Σ |x|^p)^(1/p)` of each window of the given size; default p = 2. */
export const lpPool = (x: Value, kernel: readonly number[], options: MaxPoolOptions & { readonly p?: number } = {}): Value =>
  emit(LpPool, [x], { ...poolingAttributes(options, kernel), dilations: options.dilations, p: options.p });

export const LpPool: Operator = defineOperator({
  name: "LpPool",
  inputs: ["X"],
  attributes: { ...poolAttributes, dilations: ints(), p: int(2) },
  infer: inferPool,
  decompose: (context) => {
    const plain = plainPool(context, "read");
    return plain && [emit(LpPool, [plain.x], plain.attributes)];
  },
  range: notNegative,
  // dx = sign(x) |x|^(p-1) · Σ over the windows that contain x of g y^(1-p)
  gradient: (context, [g]) => {
    const { inputs, outputs, attributes } = context;
    const { ofNorm, ofElement } = normGradient(inputs[0], outputs[0], attributes.p);
    return [mul(ofElement, sumOfWindowsAt(mul(g, ofNorm), poolWindows(context)))];
  },
});
