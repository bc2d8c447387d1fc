import type { Value } from "../../graph/graph.js";
import { defineOperator, flag } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit, scalar } from "../emit.js";

/** Which elements a running sum counts: those up to and including its own, or only those before it. */
export interface CumSumOptions {
  readonly own?: "included" | "excluded";
  readonly direction?: "forward" | "reverse";
}

/**
 * Running sum along one axis.
 *
 * @example cumSum(x, 0) // [1, 2, 3] -> [1, 3, 6]
 * @example cumSum(x, 0, { own: "excluded", direction: "reverse" }) // [1, 2, 3] -> [5, 3, 0]
 */
export const cumSum = (x: Value, axis: number, { own = "included", direction = "forward" }: CumSumOptions = {}): Value =>
  sums(x, scalar(x.graph, axis, "int64"), {
    exclusive: own === "excluded" ? 1 : 0,
    reverse: direction === "reverse" ? 1 : 0,
  });

export const CumSum = defineOperator({
  name: "CumSum",
  inputs: ["x", "axis"],
  outputs: ["y"],
  attributes: { exclusive: flag(0), reverse: flag(0) },
  infer: ({ inputs: [x, axis], fail }) => {
    if (axis.shape.some((d) => d !== 1)) fail("its axis must be one number");
    return [x];
  },
  range: finite,
  // every x counts in the sums that follow it, so the cotangent is summed the other way round
  gradient: ({ inputs: [, axis], attributes: { exclusive, reverse } }, [g]) => [
    sums(g, axis, { exclusive, reverse: reverse ? 0 : 1 }),
  ],
});

const sums = (x: Value, axis: Value, attributes: { exclusive: number; reverse: number }): Value =>
  emit(CumSum, [x, axis], attributes);
