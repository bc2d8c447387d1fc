import type { Value } from "../../../../engine/graph/graph.js";
import {
  abs,
  add,
  and,
  cast,
  clip,
  div,
  floor,
  gatherElements,
  greater,
  greaterOrEqual,
  less,
  max,
  mul,
  reduceMean,
  reduceSum,
  reshape,
  sign,
  sub,
  topK,
  where,
} from "../../../../engine/operators/index.js";
import { rows } from "../../norms/rows.js";
import type { DescentRule } from "../ascent.js";

/** Step sizes shrink by this factor, down to a tenth of ε. */
const shrink = 1.5;
const leastShare = 0.1;
/** The best point counts as sparser where it has fewer than this share of the entries it had at the last checkpoint. */
const sparser = 0.95;
/** Share of the gradient's entries that the first steps follow. */
const firstShare = 0.2;

/**
 * Auto-PGD for l_1 (Croce & Hein 2021, algorithm 1): steps follow the largest entries of the gradient, all by the same length. How many is read from
 * the best point so far: 1 / 1.5 of the entries in which it differs from the clean image. At checkpoints, every ⌊.04 N⌋ steps, the step size goes back
 * to ε where that point has become sparser, together with the iterate, which goes back to it; elsewhere it shrinks by 1.5, down to ε / 10. The
 * budget's step size is not used.
 *
 * @param radii whether it is a search in larger balls first: each part of it begins with a point that differs from the clean image in few entries.
 */
export const apgdL1 = (radii: "constant" | "shrinking"): DescentRule => ({
  name: `apgd, l_1 rules${radii === "constant" ? "" : ", from sparse starts"}`,
  state: [
    { name: "best", per: "image", initial: "start" },
    { name: "best_gradient", per: "image", initial: 0 },
    { name: "step", per: "sample", initial: "eps" },
    { name: "best_objective", per: "sample", initial: -3e38 },
    { name: "share", per: "sample", initial: firstShare },
    { name: "density", per: "sample", initial: 1 },
  ],
  schedule: (step, steps) => {
    const period = Math.max(Math.floor(0.04 * steps), 1);
    return { checkpoint: step > 0 && step % period === 0 ? 1 : 0, ...(radii === "shrinking" && { first: step === 0 ? 1 : 0 }) };
  },
  step: ({ images, objective, state, scalars, epsilon, project }) => {
    const sample = (name: string) => state[name]![0]!;
    const sparsity = (x: (i: number) => Value) => mean(images.map(({ clean }, i) => changed(x(i), clean)));
    // Where the start is a point of a larger ball, brought into this one, it says itself how many entries are worth following.
    const begins = scalars.first && greater(scalars.first, 0.5);
    const start = begins && sparsity((i) => images[i]!.x);
    const share = begins ? where(begins, div(start!, shrink), sample("share")) : sample("share");
    const known = begins ? where(begins, start!, sample("density")) : sample("density");
    const better = greater(objective, sample("best_objective"));
    const points = images.map(({ x, gradient }, i) => ({
      best: where(perImage(better), x, state.best![i]!),
      gradient: where(perImage(better), gradient, state.best_gradient![i]!),
    }));
    const checkpoint = greater(scalars.checkpoint!, 0.5);
    const density = sparsity((i) => points[i]!.best);
    const back = and(checkpoint, less(density, mul(known, sparser)));
    const shorter = max(div(sample("step"), shrink), mul(epsilon, leastShare));
    const step = where(checkpoint, where(back, epsilon, shorter), sample("step"));
    const followed = where(checkpoint, div(density, shrink), share);
    const next = images.map(({ x, gradient }, i) => {
      const from = where(perImage(back), points[i]!.best, x);
      const slope = where(perImage(back), points[i]!.gradient, gradient);
      return project(i, add(from, mul(sparseStep(slope, followed), perImage(step))));
    });
    return {
      images: next,
      state: {
        best: points.map((p) => p.best),
        best_gradient: points.map((p) => p.gradient),
        step: [step],
        best_objective: [where(better, objective, sample("best_objective"))],
        share: [followed],
        density: [where(checkpoint, density, known)],
      },
    };
  },
  result: "highest objective",
});

/** Along the entries of the gradient that are at least as large as the `share` of its largest, all by the same length, 1 in sum. */
function sparseStep(gradient: Value, share: Value): Value {
  const size = rows(abs(gradient));
  const [batch, n] = size.shape as [number, number];
  const below = clip(floor(mul(sub(1, share), n)), 0, n - 1);
  const place = reshape(cast(sub(n - 1, below), "int64"), [batch, 1]);
  const threshold = gatherElements(topK(size, n, 1)[0]!, place, 1);
  const step = where(greaterOrEqual(size, threshold), rows(sign(gradient)), 0);
  return reshape(div(step, clip(reduceSum(abs(step), [1], "keep"), 1)), gradient.shape);
}

/** The share of entries in which two images differ, [B]. */
const changed = (a: Value, b: Value): Value => reduceMean(cast(greater(abs(sub(a, b)), 0), "float32"), [1, 2, 3], "drop");

const mean = (values: readonly Value[]): Value =>
  div(
    values.reduce((a, b) => add(a, b)),
    values.length,
  );

const perImage = (sample: Value): Value => reshape(sample, [sample.shape[0]!, 1, 1, 1]);
