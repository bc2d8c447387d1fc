import type { Value } from "../../graph/graph.js";
import { defineOperator, flag, type Operator, zeroGradient } from "../../graph/operator.js";
import { cast } from "../elementwise/cast.js";
import { emit } from "../emit.js";

/** True where `x` is an infinity of a wanted sign (default: both). */
export const isInf = (x: Value, sign: "both" | "positive" | "negative" = "both"): Value =>
  emit(IsInf, [x], { detect_positive: sign === "negative" ? 0 : 1, detect_negative: sign === "positive" ? 0 : 1 });

export const IsInf: Operator = defineOperator({
  name: "IsInf",
  inputs: ["X"],
  attributes: { detect_negative: flag(1), detect_positive: flag(1) },
  // Opset 20 takes float16, opset 18 does not.
  decompose: ({ inputs: [x], attributes }) =>
    x.type === "float16" ? [emit(IsInf, [cast(x, "float32")], attributes)] : undefined,
  infer: ({ inputs: [x] }) => [{ type: "bool", shape: x.shape }],
  gradient: zeroGradient("a test is piecewise constant"),
});
