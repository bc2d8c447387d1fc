import type { Value } from "../../../engine/graph/graph.js";
import { abs, add, div, mul, neg, sub } from "../../../engine/operators/index.js";
import type { Layout } from "./layout.js";

/**
 * Each axis by a tunable sigmoid of its own, k_s(r) = r (1 - s) / (1 + s - 2 s r) for r ≥ 0 and odd beyond:
 *
 *     φ(x, y) = (sign x · k_s(|x|), sign y · k_t(|y|))      dk_s/dr = (1 - s²) / (1 + s - 2 s r)²      k_s⁻¹ = k_-s
 *
 * s > 0 gathers pixels in the middle of the width, s < 0 at its ends; t does so along the height. (Sommerhoff et al. 2023, "Differentiable
 * sensor layouts for end-to-end learning of task-specific camera parameters", arXiv 2304.14736.)
 */
export const rectangular: Layout = {
  name: "rectangular",
  parameters: ["s", "t"],
  pixels: "axis-aligned",
  map: ({ x, y }, [s, t]) => ({ x: bend(x, s!), y: bend(y, t!) }),
  jacobian: ({ x, y }, [s, t]) => {
    const zero = mul(add(x, y), 0);
    return { xx: add(slope(x, s!), zero), xy: zero, yx: zero, yy: add(slope(y, t!), zero) };
  },
  inverse: ({ x, y }, [s, t]) => ({ x: bend(x, neg(s!)), y: bend(y, neg(t!)) }),
};

const denominator = (x: Value, s: Value): Value => sub(add(s, 1), mul(mul(s, 2), abs(x)));

const bend = (x: Value, s: Value): Value => div(mul(x, sub(1, s)), denominator(x, s));

const slope = (x: Value, s: Value): Value => {
  const d = denominator(x, s);
  return div(sub(1, mul(s, s)), mul(d, d));
};
