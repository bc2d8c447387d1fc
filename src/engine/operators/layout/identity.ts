import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { asFirst } from "../../graph/range.js";
import { moved } from "../../graph/whole-numbers.js";
import { emit, idleWhereSame, sameAsInput } from "../emit.js";

/** `x` itself, under a second name. */
export const identity = (x: Value): Value => emit(Identity, [x]);

export const Identity = defineOperator({
  name: "Identity",
  inputs: ["input"],
  outputs: ["output"],
  flops: "none",
  infer: sameAsInput,
  wholeNumbers: moved,
  range: asFirst,
  simplify: idleWhereSame,
  gradient: (_, [g]) => [g],
});
