import { GraphError, type Value } from "../graph/graph.js";
import { defineOperator, zeroGradient } from "../graph/operator.js";
import { asFirst } from "../graph/range.js";
import { describe, sameShape } from "../tensor/tensor.js";
import { emit, sameAsInput } from "./emit.js";

/** The same value, but no gradient flows back through it. Costs nothing at run time. */
export const stopGradient = (x: Value): Value => emit(StopGradient, [x]);

/**
 * A value that is `forward` when computed and has the gradient of `backward` when differentiated: straight-through estimators,
 * surrogate gradients (BPDA). Both must have one type and shape; `backward` is computed only if its gradient needs it.
 *
 * @example
 * const quantized = withGradient(round(x), x); // straight-through
 */
export const withGradient = (forward: Value, backward: Value): Value => {
  if (forward.type !== backward.type || !sameShape(forward.shape, backward.shape)) {
    throw new GraphError(`withGradient: forward is ${describe(forward)}, backward ${describe(backward)}; they must agree.`);
  }
  return emit(WithGradient, [forward, backward]);
};

// Markers for the reverse sweep alone: domain "faultline" never reaches a file, `build` writes the first input in their place.
export const StopGradient = defineOperator({
  name: "StopGradient",
  domain: "faultline",
  inputs: ["X"],
  infer: sameAsInput,
  range: asFirst,
  gradient: zeroGradient("the gradient is stopped here on purpose"),
});

export const WithGradient = defineOperator({
  name: "WithGradient",
  domain: "faultline",
  inputs: ["forward", "backward"],
  infer: sameAsInput,
  range: asFirst,
  gradient: (_, [g]) => [undefined, g],
});
