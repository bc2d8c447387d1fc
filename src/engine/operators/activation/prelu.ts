import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { sameShape } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { broadcastShapes, emit, type Operand } from "../emit.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";
import { sumTo } from "../sum-to.js";

/** `x` where positive, else `slope x`; the slope broadcasts to the shape of `x` (per channel: `[C, 1, 1]`). */
export const prelu = (x: Value, slope: Operand): Value => emit(PRelu, [x, slope]);

export const PRelu = defineOperator({
  name: "PRelu",
  inputs: ["X", "slope"],
  infer: ({ inputs: [x, slope], fail }) => {
    if (x.type !== slope.type) fail("X and slope must have one element type");
    if (!sameShape(broadcastShapes([x.shape, slope.shape], fail), x.shape)) fail("slope must broadcast to the shape of X");
    return [x];
  },
  range: finite,
  // d prelu(x) = [x > 0] dx + [x <= 0] (slope dx + x dslope)
  gradient: ({ inputs: [x, slope], wanted }, [g]) => {
    const positive = greater(x, 0);
    return [
      wanted[0] ? where(positive, g, mul(g, slope)) : undefined,
      wanted[1] ? sumTo(where(positive, 0, mul(g, x)), slope.shape) : undefined,
    ];
  },
});
