import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { ofFirst } from "../../graph/range.js";
import { emit } from "../emit.js";
import { castGradient } from "./cast.js";

/** `x` in the element type of `target`. */
export const castLike = (x: Value, target: Value): Value => emit(CastLike, [x, target]);

export const CastLike = defineOperator({
  name: "CastLike",
  inputs: ["input", "target_type"],
  outputs: ["output"],
  flops: "none",
  infer: ({ inputs: [x, target] }) => [{ type: target.type, shape: x.shape }],
  range: ofFirst,
  gradient: ({ inputs: [x] }, [g]) => castGradient(x, g),
});
