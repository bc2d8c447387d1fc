import type { Value } from "../../graph/graph.js";
import { defineOperator, float, int, zeroGradient } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit } from "../emit.js";
import { elementType } from "./element-type.js";

/** Numbers uniformly distributed in [low, high) of the shape and type of `x`, drawn anew at every run by ONNX Runtime; a seed fixes the sequence of one session. */
export const randomUniformLike = (
  x: Value,
  options: { readonly low?: number; readonly high?: number; readonly seed?: number } = {},
): Value => emit(RandomUniformLike, [x], options);

export const RandomUniformLike = defineOperator({
  name: "RandomUniformLike",
  random: true,
  inputs: ["input"],
  outputs: ["output"],
  attributes: { dtype: int(), low: float(0), high: float(1), seed: float() },
  infer: ({ inputs: [x], attributes, fail }) => [{ type: elementType(attributes.dtype, x.type, fail), shape: x.shape }],
  range: finite,
  gradient: zeroGradient("only the shape of its input matters"),
});
