import type { Value } from "../../graph/graph.js";
import { defineOperator } from "../../graph/operator.js";
import { sum } from "../../graph/range.js";
import { combined, plus } from "../../graph/whole-numbers.js";
import { broadcastInputs, emit, type Operand } from "../emit.js";
import { sumTo } from "../sum-to.js";

/** `a + b` with NumPy broadcasting. */
export const add = (a: Operand, b: Operand): Value => emit(Add, [a, b]);

export const Add = defineOperator({
  name: "Add",
  broadcasts: true,
  inputs: ["A", "B"],
  outputs: ["C"],
  infer: broadcastInputs,
  wholeNumbers: combined(plus),
  range: ({ ranges: [a, b] }) => a && b && sum(a, b),
  // d(a + b) = da + db
  gradient: ({ inputs: [a, b] }, [g]) => [sumTo(g, a.shape), sumTo(g, b.shape)],
});
