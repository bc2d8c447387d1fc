import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, type Operand } from "../emit.js";
import { equal } from "../logic/equal.js";
import { greater } from "../logic/greater.js";
import { less } from "../logic/less.js";
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
  // d clip(x) = [clip(x) = x] dx + [x < low] dlow + [x > high] dhigh; 1 at either bound, as torch.clamp
  gradient: ({ inputs: [x, low, high], outputs: [y], wanted }, [g]) => [
    wanted[0] ? where(equal(x, y), g, 0) : undefined,
    wanted[1] ? sumTo(where(less(x, low!), g, 0), low!.shape) : undefined,
    wanted[2] ? sumTo(where(greater(x, high!), g, 0), high!.shape) : undefined,
  ],
});
