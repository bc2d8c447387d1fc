import type { Value } from "../../../engine/graph/graph.js";
import { add, clip, div, less, mul, sqrt, sub, where } from "../../../engine/operators/index.js";
import type { Layout, Point } from "./layout.js";

/**
 * Points within the unit disc move along with their distance r from the middle, the rest stays (so the corners never do):
 *
 *     φ(x, y) = (x f_s(r), y f_t(r))      f_s(r) = (1 - s) / (1 + s - 2 s r)      r = √(x² + y²) < 1
 *
 * The derivative by the parameter is ∂φ_x/∂s = x (2 r - 2) / (2 s r - s - 1)²; the published code has r² for r there (Sommerhoff et al.
 * 2023, arXiv 2304.14736). Here gradients differentiate φ itself.
 *
 * The published inverse takes five Newton steps. It has a closed form: x = X g_s(r), y = Y g_t(r) with g_s = 1/f_s = a - b r,
 * a = (1 + s) / (1 - s), b = 2 s / (1 - s), which is linear in r, so that r² = X² g_s(r)² + Y² g_t(r)² is a quadratic equation for r.
 */
export const curvilinear: Layout = {
  name: "curvilinear",
  parameters: ["s", "t"],
  pixels: "curved",
  map: ({ x, y }, [s, t]) => {
    const r = clip(radius({ x, y }), undefined, 1);
    return { x: mul(x, factor(s!, r)), y: mul(y, factor(t!, r)) };
  },
  jacobian: ({ x, y }, [s, t]) => {
    const r = radius({ x, y });
    const inside = less(r, 1);
    const [fs, ft] = [s!, t!].map((v) => where(inside, factor(v, r), 1));
    // f'(r) / r
    const [ds, dt] = [s!, t!].map((v) => div(where(inside, factorSlope(v, r), 0), r));
    return {
      xx: add(fs!, mul(ds!, mul(x, x))),
      xy: mul(ds!, mul(x, y)),
      yx: mul(dt!, mul(x, y)),
      yy: add(ft!, mul(dt!, mul(y, y))),
    };
  },
  inverse: (p, [s, t]) => {
    const r = sourceRadius(p, s!, t!);
    return { x: mul(p.x, linear(s!, r)), y: mul(p.y, linear(t!, r)) };
  },
};

/** √x with a finite slope at 0. */
const safeSqrt = (x: Value): Value => sqrt(clip(x, 1e-30));

const radius = ({ x, y }: Point): Value => safeSqrt(add(mul(x, x), mul(y, y)));

const denominator = (s: Value, r: Value): Value => sub(add(s, 1), mul(mul(s, 2), r));

const factor = (s: Value, r: Value): Value => div(sub(1, s), denominator(s, r));

/** f_s'(r) = 2 s (1 - s) / (1 + s - 2 s r)² */
const factorSlope = (s: Value, r: Value): Value => {
  const d = denominator(s, r);
  return div(mul(mul(s, 2), sub(1, s)), mul(d, d));
};

/** g_s(r) = 1 / f_s(r) = a - b r */
const linear = (s: Value, r: Value): Value => div(denominator(s, r), sub(1, s));

/**
 * The root in [0, 1] of A r² + 2 B r - C = 0, A = 1 - X² b_s² - Y² b_t², B = X² a_s b_s + Y² a_t b_t, C = X² a_s² + Y² a_t². At r = 0 the
 * left side is -C ≤ 0, at r = 1 it is 1 - X² - Y² > 0 within the disc, so there is one. Of its two forms, that without cancellation is taken;
 * where B < 0, A is positive.
 */
function sourceRadius({ x, y }: Point, s: Value, t: Value): Value {
  const [xx, yy] = [mul(x, x), mul(y, y)];
  const [as, at] = [s, t].map((v) => div(add(v, 1), sub(1, v)));
  const [bs, bt] = [s, t].map((v) => div(mul(v, 2), sub(1, v)));
  const weighted = (u: Value, v: Value): Value => add(mul(xx, u), mul(yy, v));
  const quadratic = sub(1, weighted(mul(bs!, bs!), mul(bt!, bt!)));
  const half = weighted(mul(as!, bs!), mul(at!, bt!));
  const free = weighted(mul(as!, as!), mul(at!, at!));
  const root = safeSqrt(add(mul(half, half), mul(quadratic, free)));
  const falling = less(half, 0);
  const inside = less(add(xx, yy), 1);
  // Unused branches divide by 1: what they hold must be finite for gradients to pass the selection.
  const numerator = where(falling, sub(root, half), free);
  const below = where(falling, quadratic, add(half, root));
  const r = div(where(inside, numerator, 1), where(inside, below, 1));
  return clip(r, 0, 1);
}
