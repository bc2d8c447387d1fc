import type { Value } from "../../../../engine/graph/graph.js";
import {
  abs,
  add,
  and,
  cast,
  cumSum,
  div,
  floor,
  gatherElements,
  greater,
  lessOrEqual,
  min,
  mul,
  reduceSum,
  reshape,
  scatterElements,
  sign,
  sub,
  topK,
} from "../../../../engine/operators/index.js";
import { rows } from "../../norms/rows.js";
import type { DescentRule, Norm } from "../ascent.js";
import { ownState } from "./own-state.js";

/**
 * A rule whose images are 8-bit images at every step, though it moves in floats: the state `exact` holds the point itself, the model sees the
 * image next to it, and the gradient there counts for the point. Steps of less than one level add up so, instead of being lost one by one.
 */
export function onGrid(rule: DescentRule): DescentRule {
  const inner = (name: string) => (name === "best" ? "exact_best" : name);
  return {
    ...rule,
    name: `${rule.name}, on the 8-bit grid`,
    state: [
      { name: "exact", per: "image", initial: "start" },
      ...rule.state.map((spec) => ({ ...spec, name: inner(spec.name) })),
      ...(rule.result !== "last" ? [{ name: "best", per: "image", initial: "start" } as const] : []),
    ],
    ...(rule.lookAt && {
      lookAt: ({ state, ...given }) => rule.lookAt!({ ...given, x: state.exact!, state: ownState(rule, state, inner) }),
    }),
    step: (given) => {
      const { images, state, norm, epsilon } = given;
      const rounded = (points: readonly Value[]) => points.map((x, i) => nearestLevels(x, images[i]!.clean, norm, epsilon));
      const next = rule.step({
        ...given,
        images: images.map((image, i) => ({ ...image, x: state.exact![i]! })),
        state: ownState(rule, state, inner),
      });
      return {
        images: rounded(next.images),
        state: {
          ...Object.fromEntries(Object.entries(next.state).map(([name, values]) => [inner(name), values])),
          exact: next.images,
          ...(rule.result !== "last" && { best: rounded(next.state.best!) }),
        },
      };
    },
  };
}

/**
 * The 8-bit image next to `x` whose distance from the clean one is no larger than ε (l_inf) or than that of `x` (l_2, l_1).
 *
 * l_inf: to the nearest level, at most ⌊255 ε⌋ levels away. Where the norm is a sum over the pixels, rounding all of them to the nearest level could
 * lose the whole perturbation or leave the ball: every pixel goes to the level below, then those nearest to the level above go there as long
 * as the sum allows.
 */
export const nearestLevels = (x: Value, clean: Value, norm: Norm, epsilon: Value): Value => {
  const delta = mul(sub(x, clean), 255);
  const size = abs(delta);
  const { levelCost } = norm;
  const whole = levelCost ? filled(size, levelCost) : min(floor(add(size, 0.5)), floor(add(mul(epsilon, 255), 1e-3)));
  return add(clean, div(mul(sign(delta), whole), 255));
};

/** Whole numbers of levels whose cost is at most that of the given ones. 1e-3 of a level absorbs float32 rounding of k / 255. */
function filled(size: Value, cost: (levels: Value) => Value): Value {
  const flat = rows(size);
  const n = flat.shape[1]!;
  const below = floor(add(flat, 1e-3));
  const [nearness, order] = topK(sub(flat, below), n, 1) as [Value, Value];
  const more = sub(cost(add(below, 1)), cost(below));
  const sorted = gatherElements(more, order, 1);
  const left = reduceSum(sub(cost(flat), cost(below)), [1], "keep");
  const taken = and(lessOrEqual(cumSum(sorted, 1), left), greater(nearness, 2e-3));
  const up = scatterElements(mul(below, 0), order, cast(taken, "float32"), 1);
  return reshape(add(below, up), size.shape);
}
