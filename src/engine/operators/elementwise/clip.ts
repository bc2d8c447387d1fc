import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, type Operand } from "../emit.js";
import { reshape } from "../layout/reshape.js";
import { greater } from "../logic/greater.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { less } from "../logic/less.js";
import { lessOrEqual } from "../logic/less-or-equal.js";
import { or } from "../logic/or.js";
import { where } from "../logic/where.js";
import { sumTo } from "../sum-to.js";

/** `min(max(x, low), high)`; a bound that is left out does not bind. Bounds are scalars. */
export const clip = (x: Value, low?: Operand, high?: Operand): Value => emit(Clip, [x, low, high]);

export const Clip = defineOperator({
  name: "Clip",
  inputs: ["input", "min?", "max?"],
  outputs: ["output"],
  infer: ({ inputs: [x, low, high], fail }) => {
    for (const bound of [low, high]) {
      if (bound && (bound.type !== x.type || bound.shape.some((d) => d !== 1)))
        fail("its bounds must be scalars of the input's element type");
    }
    return [x];
  },
  range: ({ ranges: [x, low, high] }) => {
    if (!x) return undefined;
    const raised = { low: Math.max(x.low, low?.low ?? x.low), high: Math.max(x.high, low?.high ?? x.high) };
    return high ? { low: Math.min(raised.low, high.low), high: Math.min(raised.high, high.high) } : raised;
  },
  // d clip(x) = [low <= x <= high] dx + [x < low <= high] dlow + [x > high or low > high] dhigh: 1 at either bound, and where the bounds have
  // changed places the upper one is the result everywhere, as torch.clamp
  gradient: ({ inputs: [x, min, max], wanted }, [g]) => {
    const [low, high] = [min && reshape(min, []), max && reshape(max, [])];
    const raised = low ? where(greaterOrEqual(x, low), g, 0) : g;
    const passes = high ? where(lessOrEqual(x, high), raised, 0) : raised;
    const crossed = low && high && greater(low, high);
    const below = low && where(less(x, low), g, 0);
    const above = high && where(crossed ? or(greater(x, high), crossed) : greater(x, high), g, 0);
    return [
      wanted[0] ? passes : undefined,
      wanted[1] ? sumTo(crossed ? where(crossed, 0, below!) : below!, min!.shape) : undefined,
      wanted[2] ? sumTo(above!, max!.shape) : undefined,
    ];
  },
});
