import type { Value } from "../../graph/graph.js";
import { defineOperator, float, int, zeroGradient } from "../../graph/operator.js";
import { emit } from "../emit.js";
import { elementType } from "./element-type.js";

/** 1 with probability `p`, else 0, independently for each element, drawn anew at every run. */
export const bernoulli = (p: Value, options: { readonly seed?: number } = {}): Value => emit(Bernoulli, [p], options);

export const Bernoulli = defineOperator({
  name: "Bernoulli",
  random: true,
  inputs: ["input"],
  outputs: ["output"],
  attributes: { dtype: int(), seed: float() },
  infer: ({ inputs: [p], attributes, fail }) => [{ type: elementType(attributes.dtype, p.type, fail), shape: p.shape }],
  gradient: zeroGradient("a draw is piecewise constant in its probability"),
});
