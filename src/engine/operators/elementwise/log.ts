import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { growing } from "../../graph/range.js";
import { emit, sameAsInput } from "../emit.js";
import { div } from "./div.js";

/** Natural logarithm. */
export const log = (x: Value): Value => emit(Log, [x]);

export const Log = defineOperator({
  name: "Log",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  range: growing(Math.log, 2 ** -126),
  // d log x = dx / x
  gradient: ({ inputs: [x] }, [g]) => [div(g, x)],
});
