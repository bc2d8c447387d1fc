import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { mul } from "./mul.js";
import { sign } from "./sign.js";

/** `|x|` */
export const abs = (x: Value): Value => emit(Abs, [x]);

export const Abs = defineOperator({
  name: "Abs",
  inputs: ["X"],
  infer: sameAsInput,
  range: ({ ranges: [x] }) => x && { low: Math.max(0, x.low, -x.high), high: Math.max(-x.low, x.high) },
  // d|x| = sign(x) dx; 0 at x = 0
  gradient: ({ inputs: [x] }, [g]) => [mul(g, sign(x))],
});
