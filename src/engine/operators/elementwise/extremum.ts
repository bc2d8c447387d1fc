import type { Value } from "../../graph/graph.js";
import type { GradientContext } from "../../graph/operator.js";
import { equal } from "../logic/equal.js";
import { where } from "../logic/where.js";
import { sumTo } from "../sum-to.js";
import { add } from "./add.js";
import { cast } from "./cast.js";
import { div } from "./div.js";
import { mul } from "./mul.js";
import { sub } from "./sub.js";

/**
 * Gradient of the elementwise maximum or minimum of several tensors: d y = Σ [xᵢ = y] dxᵢ / #{j : xⱼ = y}, ties split evenly as
 * torch.maximum does.
 *
 * @param beats whether its first operand alone is the extremum.
 */
export function extremumGradient(
  { inputs, outputs: [y], wanted }: GradientContext<readonly Value[], readonly [Value]>,
  g: Value,
  beats: (a: Value, b: Value) => Value,
): readonly (Value | undefined)[] {
  if (inputs.length === 1) return [g];
  if (inputs.length === 2) {
    const [a, b] = inputs as readonly [Value, Value];
    const half = where(equal(a, b), mul(g, 0.5), 0);
    const share = (winner: Value, loser: Value) => where(beats(winner, loser), g, half);
    const first = wanted[0] ? share(a, b) : undefined;
    return [first && sumTo(first, a.shape), wanted[1] ? sumTo(first ? sub(g, first) : share(b, a), b.shape) : undefined];
  }
  const hits = inputs.map((x) => cast(equal(x, y), y.type));
  const share = div(g, hits.reduce(add));
  return inputs.map((x, i) => (wanted[i] ? sumTo(mul(share, hits[i]!), x.shape) : undefined));
}
