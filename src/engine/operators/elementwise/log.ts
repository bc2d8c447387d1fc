import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { growing } from "../../graph/range.js";
import { awayFromZero } from "../bounded.js";
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
  // d log x = dx / x; at 0 the slope at the smallest normal number, so that what is masked there passes 0 and not NaN
  gradient: ({ inputs: [x] }, [g]) => [div(g, awayFromZero(x))],
});
