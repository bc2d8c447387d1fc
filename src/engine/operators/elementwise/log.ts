import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { emit, sameAsInput } from "../emit.js";
import { div } from "./div.js";

/** Natural logarithm. */
export const log = (x: Value): Value => emit(Log, [x]);

export const Log = defineOperator({
  name: "Log",
  inputs: ["input"],
  outputs: ["output"],
  infer: sameAsInput,
  // d log x = dx / x
  gradient: ({ inputs: [x] }, [g]) => [div(g, x)],
});
