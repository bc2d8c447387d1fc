import { GraphError, type Value } from "../graph/graph.js";
import type { GradientOptions } from "../graph/operator.js";
import { stopGradient } from "../operators/marker.js";
import { zerosLike } from "../operators/zeros.js";
import { describe, isFloat, sameShape } from "../tensor/tensor.js";
import { reverseSweep } from "./gradients.js";

/** A value that moves, and the direction (of its shape) in which it does. */
export interface Tangent {
  readonly wrt: Value;
  readonly tangent: Value;
}

/**
 * Directional derivatives: how each value of `of` moves when each `wrt` moves along its tangent, J t. Built into the same graph.
 *
 * The gradient Jᵀ v is linear in v, so the gradient of ⟨Jᵀ v, t⟩ with respect to v is J t: two reverse sweeps, of which the second needs no
 * v at all ("double backward", j-towns 2017, https://j-towns.github.io/2017/06/12/A-new-trick.html). So every operator that has a gradient
 * has a tangent. Markers keep their meaning: `stopGradient` stops tangents too, and `withGradient(forward, backward)` moves as `backward` does.
 *
 * @returns one for each `of`, of its shape and type; zeros where nothing differentiable leads there.
 * @throws NotDifferentiableError naming every node on the way that has no gradient; GraphError (a tangent whose shape is not that of its value).
 * @example const [dy] = jacobianVectorProduct([y], [{ wrt: x, tangent: direction }]);
 */
export function jacobianVectorProduct(
  of: readonly Value[],
  tangents: readonly Tangent[],
  options: Partial<GradientOptions> = {},
): Value[] {
  return forwardSweep(of, tangents, options).map((t, i) => t ?? zerosLike(of[i]!));
}

/** As `jacobianVectorProduct`; undefined where nothing differentiable leads to a value, so that it does not move. */
export function forwardSweep(
  of: readonly Value[],
  tangents: readonly Tangent[],
  options: Partial<GradientOptions> = {},
): (Value | undefined)[] {
  for (const { wrt, tangent } of tangents) {
    if (!sameShape(wrt.shape, tangent.shape) || !isFloat(tangent.type))
      throw new GraphError(`The tangent of "${wrt.name}" is ${describe(tangent)} instead of ${describe(wrt)}.`);
  }
  // Markers are never shared, so that each stand-in is a value of its own.
  const seeds = of.map((y) => ({ of: y, cotangent: stopGradient(zerosLike(y)) }));
  const { cotangents } = reverseSweep(
    seeds,
    tangents.map(({ wrt }) => wrt),
    options,
  );
  const moved = tangents.flatMap(({ tangent }, i) => (cotangents[i] ? [{ of: cotangents[i], cotangent: tangent }] : []));
  return moved.length === 0
    ? of.map(() => undefined)
    : [
        ...reverseSweep(
          moved,
          seeds.map(({ cotangent }) => cotangent),
          options,
        ).cotangents,
      ];
}
