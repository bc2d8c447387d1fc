import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { growing } from "../../graph/range.js";
import { awayFromZero } from "../bounded.js";
import { emit, sameAsInput } from "../emit.js";
import { div } from "./div.js";
import { mul } from "./mul.js";

/** `√x` */
export const sqrt = (x: Value): Value => emit(Sqrt, [x]);

export const Sqrt = defineOperator({
  name: "Sqrt",
  inputs: ["X"],
  infer: sameAsInput,
  range: growing(Math.sqrt, 0),
  // d √x = dx / (2 √x); at 0 the slope at the smallest normal number, so that √Σx² passes 0 at x = 0 and not NaN
  gradient: ({ outputs: [y] }, [g]) => [div(mul(g, 0.5), awayFromZero(y, Math.sqrt))],
});
