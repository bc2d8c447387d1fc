import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";

/** `x` itself, under a second name. */
export const identity = (x: Value): Value => emit(Identity, [x]);

export const Identity = defineOperator({
  name: "Identity",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  gradient: (_, [g]) => [g],
});
