import type { Value } from "../../../../engine/graph/graph.js";
import {
  add,
  and,
  cast,
  greater,
  less,
  lessOrEqual,
  mul,
  not,
  or,
  reshape,
  sub,
  where,
} from "../../../../engine/operators/index.js";
import type { DescentRule } from "../ascent.js";

/** Auto-PGD as the paper has it, or as its authors' released code does (which differs in the checkpoints and two comparisons). */
export type ApgdRules = "paper" | "released-code";

const rho = 0.75;
const momentum = 0.75;

/**
 * Auto-PGD (Croce & Hein 2020, algorithm 1): momentum .75, step size 2ε at first, halved per image at checkpoints where fewer than ρ = .75 of
 * the steps improved the objective, or where neither step size nor best objective has changed since the last checkpoint; a halving
 * restarts from the best point. The budget's step size is not used.
 */
export const apgd = (rules: ApgdRules): DescentRule => ({
  name: `apgd, ${rules} rules`,
  state: [
    { name: "previous", per: "image", initial: "start" },
    { name: "best", per: "image", initial: "start" },
    { name: "best_gradient", per: "image", initial: 0 },
    { name: "step", per: "sample", initial: "2eps" },
    { name: "best_objective", per: "sample", initial: -3e38 },
    { name: "last_objective", per: "sample", initial: 0 },
    { name: "improvements", per: "sample", initial: 0 },
    { name: "best_at_checkpoint", per: "sample", initial: 0 },
    { name: "halved", per: "sample", initial: 1 },
  ],
  schedule: (step, steps) => {
    const points = checkpoints(steps, rules);
    const at = points.indexOf(step);
    return {
      first: step === 0 ? 1 : 0,
      checkpoint: at > 0 ? 1 : 0,
      window: at > 0 ? step - points[at - 1]! : 0,
      // The released code compares the first new objective with 0 in place of the starting point's.
      compare_last: step === 1 && rules === "released-code" ? 0 : 1,
    };
  },
  step: ({ images, objective, state, scalars, norm, project }) => {
    const sample = (name: string) => state[name]![0]!;
    const first = greater(scalars.first!, 0.5);
    const atCheckpoint = greater(scalars.checkpoint!, 0.5);
    const better = greater(objective, sample("best_objective"));
    const best = where(better, objective, sample("best_objective"));
    const improved = and(not(first), greater(objective, mul(sample("last_objective"), scalars.compare_last!)));
    const improvements = add(sample("improvements"), cast(improved, "float32"));
    const bestAtCheckpoint = where(first, best, sample("best_at_checkpoint"));

    const needed = mul(scalars.window!, rho);
    const tooFew = rules === "paper" ? less(improvements, needed) : lessOrEqual(improvements, needed);
    const stuck = and(less(sample("halved"), 0.5), lessOrEqual(best, bestAtCheckpoint));
    const halve = and(atCheckpoint, or(tooFew, stuck));
    const step = where(halve, mul(sample("step"), 0.5), sample("step"));
    const inertia = where(first, 1, momentum);

    const parts = images.map(({ x, gradient }, i) => {
      const kept = where(perImage(better), x, state.best![i]!);
      const keptGradient = where(perImage(better), gradient, state.best_gradient![i]!);
      const from = where(perImage(halve), kept, x);
      const slope = where(perImage(halve), keptGradient, gradient);
      const z = project(i, add(from, mul(norm.direction(slope, from), perImage(step))));
      const move = add(mul(sub(z, from), inertia), mul(sub(from, state.previous![i]!), sub(1, inertia)));
      return { next: project(i, add(from, move)), from, kept, keptGradient };
    });
    const clear = (whenCheckpoint: Value, otherwise: Value) => where(atCheckpoint, whenCheckpoint, otherwise);
    return {
      images: parts.map((p) => p.next),
      state: {
        previous: parts.map((p) => p.from),
        best: parts.map((p) => p.kept),
        best_gradient: parts.map((p) => p.keptGradient),
        step: [step],
        best_objective: [best],
        last_objective: [objective],
        improvements: [clear(mul(improvements, 0), improvements)],
        best_at_checkpoint: [clear(best, bestAtCheckpoint)],
        halved: [clear(cast(halve, "float32"), sample("halved"))],
      },
    };
  },
  result: "highest objective",
});

const perImage = (sample: Value): Value => reshape(sample, [sample.shape[0]!, 1, 1, 1]);

/**
 * Steps after which the step size is reconsidered, with 0 in front.
 * Paper: ⌈p_j N⌉ with p₁ = .22, p_{j+1} = p_j + max(p_j - p_{j-1} - .03, .06). Released code: whole-number gaps ⌊.22 N⌋, shrinking by ⌊.03 N⌋
 * down to ⌊.06 N⌋, each at least 1.
 */
export function checkpoints(steps: number, rules: ApgdRules): number[] {
  if (rules === "paper") {
    const p = [0, 0.22];
    for (;;) {
      const next = p.at(-1)! + Math.max(p.at(-1)! - p.at(-2)! - 0.03, 0.06);
      if (next > 1) break;
      p.push(next);
    }
    // 1e-9: .22 · 50 is 11.000000000000002 in binary
    return [...new Set(p.map((q) => Math.ceil(q * steps - 1e-9)))];
  }
  const least = Math.max(Math.floor(0.06 * steps), 1);
  const shrink = Math.max(Math.floor(0.03 * steps), 1);
  const points = [0];
  for (let gap = Math.max(Math.floor(0.22 * steps), 1); points.at(-1)! + gap <= steps; gap = Math.max(gap - shrink, least))
    points.push(points.at(-1)! + gap);
  return points;
}
