import type { Value } from "../../graph/graph.js";
import { add } from "../elementwise/add.js";
import { mul } from "../elementwise/mul.js";
import { reciprocal } from "../elementwise/reciprocal.js";
import { sqrt } from "../elementwise/sqrt.js";
import { sub } from "../elementwise/sub.js";
import { reduceMean } from "../reduction/reduce-mean.js";

/** `(x - mean) * inverse` with `inverse = 1 / √(variance + epsilon)`, statistics taken over the given axes. */
export interface Standardized {
  readonly normalized: Value;
  readonly inverse: Value;
}

export function standardize(x: Value, axes: readonly number[], epsilon: number): Standardized {
  const centerd = sub(x, reduceMean(x, axes, "keep"));
  const variance = reduceMean(mul(centerd, centerd), axes, "keep");
  const inverse = reciprocal(sqrt(add(variance, epsilon)));
  return { normalized: mul(centerd, inverse), inverse };
}

/**
 * Gradient of standardizing, x̂ = (x - mean) r: dx = r (g - mean(g) - x̂ mean(g x̂)). The mean takes away the part of g along the constant
 * vector, the variance the part along x̂ (Ioffe & Szegedy 2015, arXiv 1502.03167, section 3).
 */
export function standardizeGradient({ normalized, inverse }: Standardized, g: Value, axes: readonly number[]): Value {
  const along = reduceMean(mul(g, normalized), axes, "keep");
  return mul(inverse, sub(sub(g, reduceMean(g, axes, "keep")), mul(normalized, along)));
}
