import type { Value } from "../../graph/graph.js";
import { defineOperator, flag } from "../../graph/operator.js";
import { isFloat } from "../../tensor/tensor.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";
import { round } from "./round.js";
import { sub } from "./sub.js";

/**
 * Remainder of `a / b`, elementwise with NumPy broadcasting. Its sign is that of the divisor (Python's `%`; whole numbers only) or of the
 * dividend (C's `fmod`; floating-point numbers must take it).
 */
export const mod = (a: Operand, b: Operand, sign: "divisor" | "dividend" = "dividend"): Value =>
  emit(Mod, [a, b], { fmod: sign === "dividend" ? 1 : 0 });

export const Mod = defineOperator({
  name: "Mod",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  attributes: { fmod: flag(0) },
  infer: (context) => {
    const [type] = broadcastInputs(context);
    if (isFloat(type!.type) && context.attributes.fmod !== 1) context.fail("floating-point numbers need fmod=1");
    return [type!];
  },
  // a mod b = a - q b with a piecewise constant whole number q, so d(a mod b) = da - q db
  gradient: ({ inputs: [a, b], outputs: [c], wanted }, [g]) => [
    wanted[0] ? sumTo(g, a.shape) : undefined,
    wanted[1] ? neg(sumTo(mul(g, round(div(sub(a, c), b))), b.shape)) : undefined,
  ],
});
