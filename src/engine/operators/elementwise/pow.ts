import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { toNumbers } from "../../tensor/tensor.js";
import { awayFromZero, overflowed } from "../bounded.js";
import { broadcastShapes, emit, type Operand } from "../emit.js";
import { and } from "../logic/and.js";
import { equal } from "../logic/equal.js";
import { greaterOrEqual } from "../logic/greater-or-equal.js";
import { where } from "../logic/where.js";
import { sumTo } from "../sum-to.js";
import { cast } from "./cast.js";
import { log } from "./log.js";
import { mul } from "./mul.js";
import { reciprocal } from "./reciprocal.js";
import { sqrt } from "./sqrt.js";
import { sub } from "./sub.js";

/** `x^p`, elementwise with NumPy broadcasting. Negative bases need whole exponents. */
export const pow = (x: Operand, p: Operand): Value => emit(Pow, [x, p]);

export const Pow = defineOperator({
  name: "Pow",
  broadcasts: true,
  inputs: ["X", "Y"],
  outputs: ["Z"],
  infer: ({ inputs: [x, p], fail }) => [{ type: x.type, shape: broadcastShapes([x.shape, p.shape], fail) }],
  range: ({ inputs: [, p], ranges: [x] }) => {
    const exponent = p && uniformNumber(p);
    if (!x || exponent === undefined) return undefined;
    const ends = [x.low ** exponent, x.high ** exponent];
    if (exponent >= 0 ? x.low >= 0 : x.low >= 2 ** -126) return { low: Math.min(...ends), high: Math.max(...ends) };
    if (!Number.isInteger(exponent) || exponent < 0) return undefined;
    return { low: exponent % 2 === 0 ? 0 : Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  },
  // d x^p = p x^(p-1) dx + x^p log(x) dp; a slope that is infinite (x = 0 with 0 < p < 1, an x^p that overflows) is the largest that numbers express,
  // as for √x and e^x
  gradient: ({ inputs: [x, p], outputs: [y], wanted }, [g]) => {
    const base = wanted[0] ? baseGradient(x, p, g) : undefined;
    return [base && sumTo(base, x.shape), wanted[1] ? sumTo(exponentGradient(x, p, y, g), p.shape) : undefined];
  },
});

/** `p x^(p-1) g`, and 0 where p = 0 (also at x = 0, as PyTorch). */
function baseGradient(x: Value, p: Value, g: Value): Value | undefined {
  const uniform = uniformNumber(p);
  if (uniform === 0) return undefined;
  if (uniform === 1) return g;
  if (uniform !== undefined) return mul(g, mul(power(uniform > 0 && uniform < 1 ? awayFromZero(x) : x, uniform - 1), uniform));
  const exponent = cast(p, x.type);
  return mul(g, where(equal(exponent, 0), 0, mul(exponent, pow(x, sub(exponent, 1)))));
}

/** `x^p log(x) g`, and 0 where x = 0 and p >= 0 (as PyTorch). */
function exponentGradient(x: Value, p: Value, y: Value, g: Value): Value {
  const vanishes = and(equal(x, 0), greaterOrEqual(p, 0));
  return cast(mul(g, where(vanishes, 0, mul(overflowed(y), log(x)))), p.type);
}

/** `x^p` for a number p, without Pow where a few cheap operations do: Pow of tensors costs ten times as much as Mul. */
function power(x: Value, p: number): Value {
  switch (p) {
    case 1:
      return x;
    case 2:
      return mul(x, x);
    case 3:
      return mul(mul(x, x), x);
    case 0.5:
      return sqrt(x);
    case -0.5:
      return reciprocal(sqrt(x));
    case -1:
      return reciprocal(x);
    case -2:
      return reciprocal(mul(x, x));
    default:
      return pow(x, p);
  }
}

/** The one number that a constant holds throughout, where it does. */
function uniformNumber(p: Value): number | undefined {
  if (!p.constant) return undefined;
  const numbers = toNumbers(p.constant);
  return numbers.every((n) => n === numbers[0]) ? numbers[0] : undefined;
}
