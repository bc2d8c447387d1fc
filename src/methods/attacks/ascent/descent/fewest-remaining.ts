import type { Value } from "../../../../engine/graph/graph.js";
import { and, equal, greater, less, or, reshape, where } from "../../../../engine/operators/index.js";
import type { DescentRule } from "../ascent.js";
import { ownState } from "./own-state.js";

/**
 * A rule whose result is the iterate with the fewest pixels still to win, and among those the one of highest objective. For weighted
 * objectives: CosPGD's falls again as the pixels that count are won, so the iterate of its highest objective is one that has won few.
 * The rule itself runs as before (Auto-PGD still goes back to the highest objective, which it keeps as `peak` here).
 */
export function fewestRemaining(rule: DescentRule): DescentRule {
  const inner = (name: string) => (name === "best" ? "peak" : name);
  return {
    ...rule,
    name: `${rule.name}, fewest remaining pixels`,
    state: [
      ...rule.state.map((spec) => ({ ...spec, name: inner(spec.name) })),
      { name: "best", per: "image", initial: "start" },
      { name: "fewest", per: "sample", initial: 2 },
      { name: "objective_at_fewest", per: "sample", initial: -3e38 },
    ],
    ...(rule.lookAt && { lookAt: (given) => rule.lookAt!({ ...given, state: ownState(rule, given.state, inner) }) }),
    step: (given) => {
      const { images, state, remaining, objective } = given;
      const next = rule.step({ ...given, state: ownState(rule, state, inner) });
      const [fewest, objectiveThere] = [state.fewest![0]!, state.objective_at_fewest![0]!];
      const further = or(less(remaining, fewest), and(equal(remaining, fewest), greater(objective, objectiveThere)));
      return {
        images: next.images,
        state: {
          ...Object.fromEntries(Object.entries(next.state).map(([name, values]) => [inner(name), values])),
          best: images.map(({ x }, i) => where(perImage(further), x, state.best![i]!)),
          fewest: [where(further, remaining, fewest)],
          objective_at_fewest: [where(further, objective, objectiveThere)],
        },
      };
    },
    result: "fewest remaining",
  };
}

const perImage = (sample: Value): Value => reshape(sample, [sample.shape[0]!, 1, 1, 1]);
