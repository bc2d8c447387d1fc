import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { within } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { mul } from "./mul.js";
import { neg } from "./neg.js";
import { sin } from "./sin.js";

/** Cosine of radians. */
export const cos = (x: Value): Value => emit(Cos, [x]);

export const Cos = defineOperator({
  name: "Cos",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: within(-1, 1),
  // d cos x = -sin x dx
  gradient: ({ inputs: [x] }, [g]) => [neg(mul(g, sin(x)))],
});
