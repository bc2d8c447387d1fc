import type { Value } from "../../graph/graph.js";
import { abs } from "../elementwise/abs.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { pow } from "../elementwise/pow.js";
import { sign } from "../elementwise/sign.js";
import { equal } from "../logic/equal.js";
import { where } from "../logic/where.js";

/**
 * The two factors of ∂y/∂x for the p-norm y = (Σ |x|^p)^(1/p): `y^(1-p)` and `sign(x) |x|^(p-1)`. Where y = 0 the gradient is taken as 0.
 */
export function normGradient(x: Value, y: Value, p: number): { ofNorm: Value; ofElement: Value } {
  if (p === 1) return { ofNorm: where(equal(y, 0), 0, div(y, y)), ofElement: sign(x) };
  const safe = where(equal(y, 0), 1, y);
  const ofNorm = p === 2 ? div(1, safe) : pow(safe, 1 - p);
  const ofElement = p === 2 ? x : mul(sign(x), pow(abs(x), p - 1));
  return { ofNorm, ofElement };
}
