import type { Value } from "../../../engine/graph/graph.js";
import { add, clip, div, mul, neg, sqrt, sub } from "../../../engine/operators/index.js";
import { curvilinear } from "./curvilinear.js";
import { chain, determinant, type Jacobian, type Layout, type Point } from "./layout.js";

/**
 * The curvilinear layout on the whole square: mapped to the disc and back by the elliptic grid mapping Ψ, so that corners take part.
 *
 *     φ = Ψ⁻¹ ∘ curvilinear ∘ Ψ      Ψ(x, y) = (x √(1 - y²/2), y √(1 - x²/2))
 *
 * Its derivatives follow from the chain rule in this order (the published code multiplies them in another). Ψ is singular in the four
 * corner points themselves.
 */
export const elliptic: Layout = {
  name: "elliptic",
  parameters: ["s", "t"],
  pixels: "curved",
  map: (p, theta) => toSquare(curvilinear.map(toDisc(p), theta)),
  jacobian: (p, theta) => {
    const disc = toDisc(p);
    const back = inverted(discJacobian(toSquare(curvilinear.map(disc, theta))));
    return chain(back, chain(curvilinear.jacobian(disc, theta), discJacobian(p)));
  },
  inverse: (p, theta) => toSquare(curvilinear.inverse(toDisc(p), theta)),
};

const root = (x: Value): Value => sqrt(clip(x, 1e-12));

/** √(1 - x²/2) */
const arc = (x: Value): Value => root(sub(1, div(mul(x, x), 2)));

const toDisc = ({ x, y }: Point): Point => ({ x: mul(x, arc(y)), y: mul(y, arc(x)) });

/**
 * Ψ⁻¹, u ↦ ½ √(2 + u² - v² + 2√2 u) - ½ √(2 + u² - v² - 2√2 u) and v alike, written as a quotient, which does not cancel:
 * the difference of the squares is 4√2 u.
 */
function toSquare({ x: u, y: v }: Point): Point {
  const coordinate = (a: Value, b: Value): Value => {
    const middle = add(sub(mul(a, a), mul(b, b)), 2);
    const shift = mul(a, 2 * Math.SQRT2);
    return div(shift, add(root(add(middle, shift)), root(sub(middle, shift))));
  };
  return { x: coordinate(u, v), y: coordinate(v, u) };
}

/** Of Ψ. */
function discJacobian({ x, y }: Point): Jacobian {
  const [ax, ay] = [arc(x), arc(y)];
  const half = div(mul(x, y), -2);
  return { xx: ay, xy: div(half, ay), yx: div(half, ax), yy: ax };
}

function inverted(j: Jacobian): Jacobian {
  const d = clip(determinant(j), 1e-12);
  return { xx: div(j.yy, d), xy: neg(div(j.xy, d)), yx: neg(div(j.yx, d)), yy: div(j.xx, d) };
}
