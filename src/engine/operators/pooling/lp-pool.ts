import type { Value } from "../../graph/graph.js";
import { defineOperator, int, ints, type Operator } from "../../graph/operator.js";
import { notNegative } from "../../graph/range.js";
import { mul } from "../elementwise/mul.js";
import { emit } from "../emit.js";
import { slice } from "../layout/slice.js";
import type { MaxPoolOptions } from "./max-pool.js";
import { normGradient } from "./norm-gradient.js";
import { inferPool, narrowPadding, poolAttributes, poolingAttributes, poolWindows } from "./pool.js";
import { sumOfWindowsAt } from "./window-sum.js";

/** The p-norm `(Σ |x|^p)^(1/p)` of each window of the given size; default p = 2. */
export const lpPool = (x: Value, kernel: readonly number[], options: MaxPoolOptions & { readonly p?: number } = {}): Value =>
  emit(LpPool, [x], { ...poolingAttributes(options, kernel), dilations: options.dilations, p: options.p });

export const LpPool: Operator = defineOperator({
  name: "LpPool",
  inputs: ["X"],
  attributes: { ...poolAttributes, dilations: ints(), p: int(2) },
  infer: inferPool,
  // Where auto_pad asks for less than no padding, ONNX Runtime crops.
  decompose: (context) => {
    const padding = narrowPadding(context);
    if (!padding) return undefined;
    const [x] = context.inputs;
    const { kernel_shape, p } = context.attributes;
    const axes = padding.map((_, i) => i + 2);
    const begins = padding.map(({ head }) => Math.max(-head, 0));
    const ends = padding.map(({ tail }, i) => x.shape[i + 2]! + Math.min(tail, 0));
    const side = (end: "head" | "tail") => padding.map((sides) => Math.max(sides[end], 0));
    return [
      lpPool(slice(x, begins, ends, { axes }), kernel_shape, {
        ...(context.attributes.strides && { strides: context.attributes.strides }),
        pads: [...side("head"), ...side("tail")],
        p,
      }),
    ];
  },
  range: notNegative,
  // dx = sign(x) |x|^(p-1) · Σ over the windows that contain x of g y^(1-p)
  gradient: (context, [g]) => {
    const { inputs, outputs, attributes } = context;
    const { ofNorm, ofElement } = normGradient(inputs[0], outputs[0], attributes.p);
    return [mul(ofElement, sumOfWindowsAt(mul(g, ofNorm), poolWindows(context)))];
  },
});
