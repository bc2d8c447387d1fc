import type { Value } from "../../graph/graph.js";
import { defineOperator, float, int, zeroGradient } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { emit } from "../emit.js";
import { elementType } from "./element-type.js";

/** Normally distributed numbers of the shape and type of `x`, drawn anew at every run by ONNX Runtime; a seed fixes the sequence of one session. */
export const randomNormalLike = (
  x: Value,
  options: { readonly mean?: number; readonly scale?: number; readonly seed?: number } = {},
): Value => emit(RandomNormalLike, [x], options);

export const RandomNormalLike = defineOperator({
  name: "RandomNormalLike",
  random: true,
  inputs: ["input"],
  outputs: ["output"],
  attributes: { dtype: int(), mean: float(0), scale: float(1), seed: float() },
  infer: ({ inputs: [x], attributes, fail }) => [{ type: elementType(attributes.dtype, x.type, fail), shape: x.shape }],
  range: finite,
  gradient: zeroGradient("only the shape of its input matters"),
});
