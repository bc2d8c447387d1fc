import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, type Operator } from "../../graph/operator.js";
import { ofAll } from "../../graph/range.js";
import { emit, scalar } from "../emit.js";

export type Triangle = "upper" | "lower";

/** Keeps a triangle of the last two axes, zero elsewhere; `k` moves the diagonal up. */
export const trilu = (x: Value, triangle: Triangle, k = 0): Value =>
  emit(Trilu, [x, k === 0 ? undefined : scalar(x.graph, k, "int64")], { upper: triangle === "upper" ? 1 : 0 });

export const Trilu: Operator = defineOperator({
  name: "Trilu",
  inputs: ["input", "k?"],
  outputs: ["output"],
  attributes: { upper: flag(1) },
  flops: "none",
  infer: ({ inputs: [x], fail }) => {
    if (x.shape.length < 2) fail("its input must have at least two axes");
    return [x];
  },
  range: ofAll(0),
  // a mask of zeros and ones: the cotangent is masked alike
  gradient: ({ inputs: [, k], attributes: { upper } }, [g]) => [emit(Trilu, [g, k], { upper })],
});
