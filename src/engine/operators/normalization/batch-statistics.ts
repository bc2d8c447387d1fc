import type { Value } from "../../graph/graph.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { sqrt } from "../elementwise/sqrt.js";
import { sub } from "../elementwise/sub.js";
import { reshape } from "../layout/reshape.js";
import { reduceMean } from "../reduction/reduce-mean.js";

/**
 * Batch normalization with the statistics of the batch itself (training mode), and the stored statistics moved towards them:
 * `y = scale (x - μ) / √(σ² + epsilon) + bias`, `mean' = momentum mean + (1 - momentum) μ`, and so the variance (of the population).
 * Networks with standardized weights apply it to their weights.
 */
export function normalizeByBatch(
  [x, scale, bias, mean, variance]: readonly [x: Value, scale: Value, bias: Value, mean: Value, variance: Value],
  { epsilon, momentum }: { readonly epsilon: number; readonly momentum: number },
): readonly [y: Value, mean: Value, variance: Value] {
  const wide = x.type === "float16" ? "float32" : x.type;
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const perChannel = (v: Value) => reshape(cast(v, wide), [-1, ...x.shape.slice(2).map(() => 1)]);
  const values = cast(x, wide);
  const center = reduceMean(values, axes, "keep");
  const centered = sub(values, center);
  const spread = reduceMean(mul(centered, centered), axes, "keep");
  const normalized = div(centered, sqrt(add(spread, epsilon)));
  const moved = (stored: Value, now: Value) =>
    cast(add(mul(cast(stored, wide), momentum), mul(reshape(now, stored.shape), 1 - momentum)), stored.type);
  const y = add(mul(normalized, perChannel(scale)), perChannel(bias));
  return [cast(y, x.type), moved(mean, center), moved(variance, spread)];
}
